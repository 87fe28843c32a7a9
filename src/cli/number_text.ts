/** Three significant digits; of numbers below `large` two, which are enough to compare them. */
export function numberText(number: number, large = 0.1): string {
  const size = Math.abs(number);
  const digits = size >= large || size === 0 ? 3 : 2;
  return String(Number(number.toPrecision(digits)) || 0);
}
