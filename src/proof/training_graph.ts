import { analyse } from '../freezing/analyse.js';
import type { Analysis } from '../freezing/analysis.js';
import type { Graph } from '../graph/graph.js';
import { savedGraph } from './saved_graph.js';

/** A model whose batch norms a flag switches, as it is in training. */
export interface TrainingGraph {
  readonly graph: Graph;
  /** The values of the flags in it, by node. */
  readonly flags: Readonly<Record<string, boolean>>;
}

/**
 * The saved graph with the flags of its batch norms at the values that they have in training.
 * @returns undefined if no flag chooses statistics, or an output is computed at inference only
 */
export function trainingGraph({ model, options, switched, flags }: Analysis): TrainingGraph | undefined {
  const names = new Set([...switched.values()].flat());
  const training = flags.filter(({ node }) => names.has(node)).map(({ node, value }) => [node, value === 0] as const);
  if (training.length === 0) return undefined;
  const set = Object.fromEntries(training);
  const inTraining = analyse(model, { ...options, set: { ...options.set, ...set } });
  if (inTraining.outputs.refs.some(({ node }) => !inTraining.graph.has(node))) return undefined;
  return { graph: savedGraph(inTraining), flags: set };
}
