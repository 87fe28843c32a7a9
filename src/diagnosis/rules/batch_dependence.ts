import { inTraining } from '../in_training.js';
import type { Found, Rule } from './rule.js';

/** Other ways in which an output depends on the batch: reductions that no variable averages, ranges that each batch updates. */
export const batchDependence: Rule = {
  id: 'batch-dependence',
  level: 'warn',
  find({ analysis }) {
    const { batchReductions, plan, graph } = analysis;
    const { users, parts } = inTraining(analysis);
    return [
      ...batchReductions
        .filter((node) => !users.has(node) && !parts.has(node))
        .map((node): Found => ({ node, detail: { code: 'batch_reduction', op: graph.get(node).op } })),
      ...plan.replacements.flatMap(({ tensor, by, role }): Found[] => {
        if (role !== 'assignment' || 'value' in by) return [];
        return [{ node: tensor.node, detail: { code: 'updated_range', variable: by.variable.node } }];
      }),
    ];
  },
};
