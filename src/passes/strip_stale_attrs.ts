import type { AttrMap } from '../graph/attrs.js';
import type { Graph } from '../graph/graph.js';
import type { tensorflow } from '../proto/tensorflow.js';
import type { Pass } from './pass.js';

/**
 * `_class` refers to removed nodes; `_output_shapes` may contradict the graph, which TF 2 then refuses. A TPU or XLA cluster
 * must contain all nodes between two of its own, also those that are added.
 */
const STALE_ATTR = /^_(class|output_shapes|gradient_op_type|tpu_.*|xla_.*|Xla.*)$/;

/**
 * Removes devices, clusters and attrs that refer to the machine and the graph of the training, also from functions.
 *
 *     given:   y = Relu(x)[_class=["loc:@w"], _output_shapes=[[?, 8]]] on /device:GPU:0      result:  y = Relu(x)
 *
 * Assumes: nothing.
 */
export const stripStaleAttrs: Pass = {
  name: 'strip_stale_attrs',
  run({ graph }) {
    for (const node of graph.nodes()) {
      graph.removeAttrs(node, staleOf(node.attr));
      if (node.device) graph.setDevice(node, '');
    }
    stripFunctions(graph);
    return { outcomes: [] };
  },
};

function staleOf(attrs: AttrMap): string[] {
  return Object.keys(attrs).filter((key) => STALE_ATTR.test(key));
}

function stripFunctions(graph: Graph): void {
  const { library, ...rest } = graph.header;
  if (!library?.function?.length) return;
  const stripped = library.function.map((fn) => {
    const nodes = fn.node_def ?? [];
    return nodes.some(isStale) ? { ...fn, node_def: nodes.map((def) => (isStale(def) ? cleaned(def) : def)) } : fn;
  });
  graph.setHeader({ ...rest, library: { ...library, function: stripped } });
}

type NodeDef = tensorflow.NodeDef.$Properties;

function isStale({ device, attr }: NodeDef): boolean {
  return Boolean(device) || staleOf(attr ?? {}).length > 0;
}

function cleaned({ device: _, attr, ...def }: NodeDef): NodeDef {
  return { ...def, attr: Object.fromEntries(Object.entries(attr ?? {}).filter(([key]) => !STALE_ATTR.test(key))) };
}
