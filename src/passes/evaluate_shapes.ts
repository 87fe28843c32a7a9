import { findStaticValues } from '../analysis/values/static_values.js';
import { replaceByConstants } from './edits/evaluated.js';
import type { FinishPlan, Pass } from './pass.js';

/**
 * Replaces the shapes of tensors that are known now, and sizes that are picked from them, by constants. What is computed from
 * these alone is left to `evaluate_constants`.
 *
 *     given:   x = Placeholder[shape=[2, 3]], shape = Shape(x), y = Reshape(Relu(x), shape)
 *     result:  x = Placeholder[shape=[2, 3]], shape = [2, 3], y = Reshape(Relu(x), shape)
 *
 * Assumes: nothing. Nodes in branches and loops stay.
 */
export const evaluateShapes: Pass<FinishPlan> = {
  name: 'evaluate_shapes',
  run({ graph, outputs, isKept }) {
    const values = findStaticValues(graph).filter(({ ref }) => !isKept(ref.node));
    replaceByConstants(graph, outputs, values);
    return { outcomes: [] };
  },
};
