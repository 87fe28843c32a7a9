import type { Shape } from '../analysis/values/shapes.js';

// Pieces of text that sentences are made of.

/** `1,234`. */
export function countText(count: number): string {
  // Not toLocaleString: the first call of it takes as long as reading a small graph.
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 op`, `2 ops`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** The first few of many names. */
export function listed(names: readonly string[], limit = 5): string {
  const more = names.length > limit ? ` and ${names.length - limit} more` : '';
  return names.slice(0, limit).join(', ') + more;
}

/** `[?,224,224,3]`; `?` alone where the rank is not known. */
export function shapeText(shape: Shape): string {
  return shape ? `[${shape.map((size) => (size < 0 ? '?' : size)).join(',')}]` : '?';
}
