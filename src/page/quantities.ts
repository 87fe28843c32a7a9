import { countText } from '../freezing/text.js';

const UNITS = ['kB', 'MB', 'GB'] as const;

/** `512 bytes`, `1.2 MB`: powers of 1000. */
export function byteText(bytes: number): string {
  let value = bytes;
  let unit = 'bytes';
  for (const larger of UNITS) {
    if (value < 1000) break;
    value /= 1000;
    unit = larger;
  }
  return unit === 'bytes' ? `${bytes} bytes` : `${value.toFixed(1)} ${unit}`;
}

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
