import type { Found, Rule } from './rule.js';
import { inTraining } from './training_batch_norm.js';

/** Other ways in which an output depends on the batch: reductions that no variable averages, ranges that each batch updates. */
export const batchDependence: Rule = {
  id: 'batch-dependence',
  level: 'warn',
  find({ analysis }) {
    const { batchReductions, batchNorms, plan, graph } = analysis;
    const known = new Set(inTraining(analysis).keys());
    for (const { unfused } of batchNorms) for (const reduction of unfused?.reductions ?? []) known.add(reduction);
    return [
      ...batchReductions
        .filter((node) => !known.has(node))
        .map((node): Found => ({ node, detail: { code: 'batch_reduction', op: graph.get(node).op } })),
      ...plan.replacements.flatMap(({ tensor, by, role }): Found[] => {
        if (role !== 'assignment' || 'value' in by) return [];
        return [{ node: tensor.node, detail: { code: 'updated_range', variable: by.variable.node } }];
      }),
    ];
  },
};
