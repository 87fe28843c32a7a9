import type { BatchNorm } from '../analysis/training/batch_norms.js';
import type { Analysis } from '../freezing/analysis.js';
import type { Graph } from '../graph/graph.js';
import type { TensorRef } from '../graph/node.js';
import { isGlobalBatchNorm } from '../ops/meaning.js';

/** What uses batch statistics. */
export interface InTraining {
  /**
   * The batch norms, by name, and other nodes with batch statistics that a variable averages. `stored`: the moving statistics are known.
   */
  readonly users: ReadonlyMap<string, { readonly op: string; readonly stored: boolean }>;
  /** The nodes that compute the statistics of the batch norms. */
  readonly parts: ReadonlySet<string>;
}

/** What uses batch statistics in an analysis. A batch norm in inference mode that takes batch statistics as its inputs does. */
export function inTraining({ batchNorms, plan, problems, graph }: Analysis): InTraining {
  const users = new Map<string, { readonly op: string; readonly stored: boolean }>();
  const parts = new Set<string>();
  for (const batchNorm of batchNorms) {
    for (const reduction of partsOf(batchNorm)) parts.add(reduction);
    const { name, pattern, status } = batchNorm;
    if (status.kind === 'inference' || status.kind === 'per_example') continue;
    users.set(name, { op: pattern, stored: status.kind !== 'unpaired' });
  }
  const others = new Map<string, boolean>();
  const add = (node: string, stored: boolean) => {
    if (!parts.has(node) && !users.has(node) && !others.has(node)) others.set(node, stored);
  };
  for (const { tensor, role } of plan.replacements) if (role === 'statistic') add(tensor.node, true);
  for (const problem of problems) {
    if (problem.code === 'still_in_use') add(problem.tensor, false);
    else if (problem.code === 'training_in_function' && problem.op.startsWith('FusedBatchNorm'))
      add(problem.node, false);
  }
  const isOther = (node: string) => others.has(node);
  for (const batchNorm of others.size > 0 ? batchNorms : []) {
    const own = nearest(graph, statisticsOf(graph, batchNorm), isOther);
    for (const node of own) parts.add(node);
    const { name, pattern: op } = batchNorm;
    if (own.length > 0 && !users.has(name)) users.set(name, { op, stored: own.every((node) => others.get(node)) });
  }
  for (const [node, stored] of others) {
    if (!parts.has(node)) users.set(node, { op: graph.find(node)?.op ?? '', stored });
  }
  return { users, parts };
}

/** The nodes that compute the statistics of a batch norm. */
function partsOf({ unfused }: BatchNorm): string[] {
  if (!unfused) return [];
  return [...unfused.reductions, ...[...unfused.mean, ...unfused.variance].map(({ node }) => node)];
}

/** What a batch norm takes its statistics from; of an unfused one, what the root of the variance is taken of. */
function statisticsOf(graph: Graph, { name, unfused }: BatchNorm): readonly TensorRef[] {
  const node = graph.get(name);
  if (unfused) return node.inputs;
  return isGlobalBatchNorm(node) ? node.inputs.slice(1, 3) : node.inputs.slice(3, 5);
}

/** Enough for the arithmetic between batch statistics and the batch norm that uses them. */
const MAX_STEPS = 32;

/** The nearest nodes of some kind that tensors are computed from. */
function nearest(graph: Graph, tensors: readonly TensorRef[], isWanted: (node: string) => boolean): string[] {
  const seen = new Set(tensors.map(({ node }) => node));
  const wanted: string[] = [];
  for (const name of seen) {
    if (isWanted(name)) wanted.push(name);
    else if (seen.size < MAX_STEPS) for (const { node } of graph.get(name).inputs) seen.add(node);
  }
  return wanted;
}
