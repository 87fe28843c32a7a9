import type { Pass } from './pass.js';

/** `_class` refers to removed nodes; `_output_shapes` may contradict the graph, which TF 2 then refuses. */
const STALE_ATTRS = ['_class', '_output_shapes', '_gradient_op_type'];

/**
 * Removes devices and attrs that refer to the machine and the graph of the training.
 *
 *     given:   y = Relu(x)[_class=["loc:@w"], _output_shapes=[[?, 8]]] on /device:GPU:0      result:  y = Relu(x)
 *
 * Assumes: nothing.
 */
export const stripStaleAttrs: Pass = {
  name: 'strip_stale_attrs',
  run({ graph }) {
    for (const node of graph.nodes()) {
      graph.removeAttrs(node, STALE_ATTRS);
      if (node.device) graph.setDevice(node, '');
    }
    return { outcomes: [] };
  },
};
