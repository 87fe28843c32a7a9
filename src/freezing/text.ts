import type { Shape } from '../analysis/values/shapes.js';

// Building blocks of sentences.

/** `1,234`. */
export function countText(count: number): string {
  // Not toLocaleString: its first call takes as long as reading a small graph.
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 op`, `2 ops`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** A list of names, shortened to the first few. */
export function listed(names: readonly string[], limit = 5): string {
  const more = names.length > limit ? ` and ${names.length - limit} more` : '';
  return names.slice(0, limit).join(', ') + more;
}

/** `[?,224,224,3]`; `?` alone for an unknown rank. */
export function shapeText(shape: Shape): string {
  return shape ? `[${shape.map((size) => (size < 0 ? '?' : size)).join(',')}]` : '?';
}

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
