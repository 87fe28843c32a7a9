import type { Pass } from './pass.js';

/** `_class` ties a node to ones that are gone; `_output_shapes` may contradict the graph, and TF 2 refuses it then. */
const STALE_ATTRS = ['_class', '_output_shapes', '_gradient_op_type'];

/**
 * Removes what binds nodes to the machine and the graph that they were trained in.
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
