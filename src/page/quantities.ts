import { countText } from '../freezing/text.js';

const LARGE = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
] as const;

/** `139.6 M`; numbers below a million as they are: `12,345`. */
export function largeCountText(count: number): string {
  const large = LARGE.find(([size]) => count >= size);
  return large ? `${(count / large[0]).toFixed(1)} ${large[1]}` : countText(count);
}
