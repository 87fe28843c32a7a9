import type { Graph } from './graph.js';

/**
 * What is derived from a graph, worked out once between two version of it: most of the analysis asks for the same.
 * @param graphOf - the graph that a value depends on, of what it is derived from
 * @returns `derive`, whose results are not to be changed
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
