import type { Graph } from './graph.js';

/**
 * Caches values derived from a graph until it changes: many parts of the analysis need the same ones.
 * @param graphOf - returns the graph that a value depends on, given its source
 * @returns `derive` with a cache; do not change its results
 */
export function memoizeByVersion<Of extends object, T>(
  derive: (of: Of) => T,
  graphOf: (of: Of) => Graph,
): (of: Of) => T {
  const kept = new WeakMap<Of, { readonly version: number; readonly value: T }>();
  return (of) => {
    const { version } = graphOf(of);
    const known = kept.get(of);
    if (known?.version === version) return known.value;
    const value = derive(of);
    kept.set(of, { version, value });
    return value;
  };
}
