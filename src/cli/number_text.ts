/** Three significant digits; of numbers below `large` two, which are enough to compare them. */
export function numberText(number: number, large = 0.1): string {
  const size = Math.abs(number);
  const digits = size >= large || size === 0 ? 3 : 2;
  return String(Number(number.toPrecision(digits)) || 0);
}

/** `-0.1 .. 2.3`; one number if both have the same text. @param large - as of {@link numberText} */
export function rangeText([smallest, largest]: readonly [smallest: number, largest: number], large?: number): string {
  const [from, to] = [numberText(smallest, large), numberText(largest, large)];
  return from === to ? from : `${from} .. ${to}`;
}
