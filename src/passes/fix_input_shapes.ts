import { attr } from '../graph/attrs.js';
import type { Outcome } from './outcome.js';
import type { Pass, ShapePlan } from './pass.js';

/**
 * Declares the shapes of placeholders.
 *
 *     inputShapes: { x: [1, 4] }
 *     given:   x = Placeholder[shape=?], y = Relu(x)
 *     result:  x = Placeholder[shape=[1, 4]], y = Relu(x)
 *
 * Assumes: the shapes contradict nothing that the graph knows.
 */
export const fixInputShapes: Pass<ShapePlan> = {
  name: 'fix_input_shapes',
  run({ graph, shapes }) {
    const outcomes: Outcome[] = [];
    for (const { placeholder, shape } of shapes) {
      graph.setAttr(graph.get(placeholder), 'shape', attr.shape(shape));
      outcomes.push({ kind: 'input_shape', placeholder, shape });
    }
    return { outcomes };
  },
};
