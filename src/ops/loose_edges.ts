import type { Graph } from '../graph/graph.js';
import { type Node, refText } from '../graph/node.js';
import { outputCount } from './registry.js';

/** An input or a control input that refers to a missing node or port. */
export interface LooseEdge {
  readonly node: Node;
  /** In the notation of NodeDefs. */
  readonly edge: string;
  /** The node without that port; undefined if the node is missing. */
  readonly producer: Node | undefined;
}

/** The number of a port is an int32 in TensorFlow. */
const MAX_PORTS = 2 ** 31;
/** A custom op may have any number of outputs; more than this is corruption. */
const MAX_CUSTOM_PORTS = 2 ** 20;

/** The first loose edge of a graph: every input must exist, and for registered ops, every port. */
export function findLooseEdge(graph: Graph): LooseEdge | undefined {
  for (const node of graph.nodes()) {
    for (const ref of node.inputs) {
      const producer = graph.find(ref.node);
      if (producer && ref.port < Math.min(outputCount(producer) ?? MAX_CUSTOM_PORTS, MAX_PORTS)) continue;
      return { node, edge: refText(ref), producer };
    }
    const missing = node.controls.find((name) => !graph.has(name));
    if (missing !== undefined) return { node, edge: `^${missing}`, producer: undefined };
  }
  return undefined;
}
