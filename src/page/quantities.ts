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
