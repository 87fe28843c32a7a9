import type { Outcome } from './outcome.js';
import type { Pass, SlicePlan } from './pass.js';

/**
 * Replaces slices that only remove axes of size 1 by Squeeze ops, so that the analysis recognises the tensor.
 *
 *     given:   m = Placeholder[shape=[1, 8]], y = StridedSlice(m, [0], [1], [1])[shrink_axis_mask=1]
 *     result:  m = Placeholder[shape=[1, 8]], y = Squeeze(m)[squeeze_dims=[0]]
 *
 * Assumes: nothing; a slice stays unless the size of each removed axis is known to be 1.
 */
export const squeezeSlices: Pass<SlicePlan> = {
  name: 'squeeze_slices',
  run({ graph, slices }) {
    const outcomes: Outcome[] = [];
    for (const { node: name, axes } of slices) {
      const node = graph.get(name);
      const { op, inputs, controls } = node;
      graph.replace(node, {
        op: 'Squeeze',
        inputs: inputs.slice(0, 1),
        controls,
        attr: { ...(node.attr.T && { T: node.attr.T }), squeeze_dims: { list: { i: [...axes] } } },
      });
      outcomes.push({ kind: 'simplified', node: name, op });
    }
    return { outcomes };
  },
};
