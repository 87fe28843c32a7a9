import type { Outcome } from './outcome.js';
import type { AssignedPlan, Pass } from './pass.js';

/**
 * Makes nodes read the tensor that was assigned to a variable, instead of the variable after its assignment.
 *
 *     given:   x = Placeholder[shape=[?, 2]], m = Mean(x, [0])
 *              last_mean = VariableV2[shape=[2]], moving_mean = VariableV2[shape=[2]]
 *              set = Assign(last_mean, m), AssignSub(moving_mean, (moving_mean - m) * 0.1)
 *              y = Sub(x, last_mean, ^set)
 *     result:  x = Placeholder[shape=[?, 2]], m = Mean(x, [0])
 *              last_mean = VariableV2[shape=[2]], moving_mean = VariableV2[shape=[2]]
 *              set = Assign(last_mean, m), AssignSub(moving_mean, (moving_mean - m) * 0.1)
 *              y = Sub(x, m, ^set)
 *
 * Assumes: each reader runs after the assignment, so that both are equal.
 */
export const readAssignedValues: Pass<AssignedPlan> = {
  name: 'read_assigned_values',
  run({ graph, reads }) {
    const outcomes: Outcome[] = [];
    for (const { node: name, index, value } of reads) {
      const node = graph.get(name);
      graph.setInput(node, index, value);
      outcomes.push({ kind: 'simplified', node: name, op: node.op });
    }
    return { outcomes };
  },
};
