import { calledFunctions } from '../graph/called_functions.js';
import type { Outcome } from './outcome.js';
import type { Pass } from './pass.js';

/**
 * Removes functions that nothing calls.
 *
 *     given:   def f(x):
 *                r = Relu(x)
 *                return r
 *              y = Tanh(x)
 *     result:  y = Tanh(x)
 *
 * Assumes: the analysis has checked the functions that are still called.
 */
export const pruneFunctions: Pass = {
  name: 'prune_functions',
  run({ graph }) {
    const { library, ...rest } = graph.header;
    if (!library) return { outcomes: [] };
    const kept = new Set(calledFunctions(graph, graph.nodes()));
    const names = new Set([...kept].map((fn) => fn.signature?.name ?? ''));
    const outcomes = (library.function ?? [])
      .filter((fn) => !kept.has(fn))
      .map((fn): Outcome => ({ kind: 'pruned_function', name: fn.signature?.name ?? '' }));
    const gradient = (library.gradient ?? []).filter((entry) => names.has(entry.function_name ?? ''));
    graph.setHeader(kept.size === 0 ? rest : { ...rest, library: { ...library, function: [...kept], gradient } });
    return { outcomes };
  },
};
