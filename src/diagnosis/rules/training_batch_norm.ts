import type { BatchNorm } from '../../analysis/training/batch_norms.js';
import type { Analysis } from '../../freezing/analysis.js';
import { settingsOf } from '../saved_flags.js';
import type { Found, Rule } from './rule.js';

/** Batch norms that feed an output and normalise with batch statistics, whatever is fed or if nothing is. */
export const trainingBatchNorm: Rule = {
  id: 'training-batch-norm',
  level: 'error',
  find({ analysis, asSaved, flags }) {
    const always = inTraining(analysis);
    const byDefault = [...inTraining(asSaved)].filter(([node]) => !always.has(node));
    const settings = settingsOf(flags.filter(({ isInference }) => isInference === false));
    return [
      ...[...always].map(
        ([node, { op, stored }]): Found => ({ node, detail: { code: 'batch_statistics', op, stored } }),
      ),
      ...byDefault.map(
        ([node, { op }]): Found => ({ node, detail: { code: 'training_by_default', op, flags: settings } }),
      ),
    ];
  },
};

/** A node that uses batch statistics, and whether its moving statistics are known. */
interface InTraining {
  readonly op: string;
  readonly stored: boolean;
}

/** The batch norms of an analysis that use batch statistics, and other users of batch statistics that a variable averages. */
export function inTraining({ batchNorms, plan, problems, graph }: Analysis): Map<string, InTraining> {
  const found = new Map<string, InTraining>();
  const reductions = new Set<string>();
  for (const batchNorm of batchNorms) {
    for (const reduction of partsOf(batchNorm)) reductions.add(reduction);
    const { name, pattern, status } = batchNorm;
    if (status.kind === 'inference' || status.kind === 'per_example') continue;
    found.set(name, { op: pattern, stored: status.kind !== 'unpaired' });
  }
  const add = (node: string, stored: boolean) => {
    if (reductions.has(node) || found.has(node)) return;
    found.set(node, { op: graph.find(node)?.op ?? '', stored });
  };
  for (const { tensor, role } of plan.replacements) if (role === 'statistic') add(tensor.node, true);
  for (const problem of problems) {
    if (problem.code === 'still_in_use') add(problem.tensor, false);
    else if (problem.code === 'training_in_function' && problem.op.startsWith('FusedBatchNorm'))
      add(problem.node, false);
  }
  return found;
}

/** The nodes that compute the statistics of a batch norm. */
function partsOf({ unfused }: BatchNorm): string[] {
  if (!unfused) return [];
  return [...unfused.reductions, ...[...unfused.mean, ...unfused.variance].map(({ node }) => node)];
}
