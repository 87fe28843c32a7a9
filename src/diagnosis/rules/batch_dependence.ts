import type { Found, Rule } from './rule.js';
import { inTraining } from './training_batch_norm.js';

/** Reductions over the batch that feed an output, apart from those of batch norms. */
export const batchDependence: Rule = {
  id: 'batch-dependence',
  level: 'warn',
  find({ analysis }) {
    const { batchReductions, batchNorms, graph } = analysis;
    const known = new Set(inTraining(analysis).keys());
    for (const { unfused } of batchNorms) for (const reduction of unfused?.reductions ?? []) known.add(reduction);
    return batchReductions
      .filter((node) => !known.has(node))
      .map((node): Found => ({ node, detail: { code: 'batch_reduction', op: graph.get(node).op } }));
  },
};
