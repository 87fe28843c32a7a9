import type { Outcome } from './outcome.js';
import type { Pass, SlicePlan } from './pass.js';

/**
 * Writes slices that only take axes of size 1 away as Squeeze ops, so that the analysis sees the same tensor.
 *
 *     given:   m = Placeholder[shape=[1, 8]], y = StridedSlice(m, [0], [1], [1])[shrink_axis_mask=1]
 *     result:  m = Placeholder[shape=[1, 8]], y = Squeeze(m)[squeeze_dims=[0]]
 *
 * Assumes: nothing; a slice of an axis whose size is not known to be 1 stays.
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
