const UNITS = ['kB', 'MB', 'GB'] as const;

/** `1,234`. */
export function countText(count: number): string {
  // Not toLocaleString: the first call of it takes as long as reading a small graph.
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 op`, `2 ops`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

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

/** The first few of many names. */
export function someNames(names: readonly string[], limit = 3): string {
  const more = names.length > limit ? ` and ${names.length - limit} more` : '';
  return names.slice(0, limit).join(', ') + more;
}
