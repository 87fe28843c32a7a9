import type { Graph } from '../graph/graph.js';
import { missingInput } from '../graph/missing_input.js';
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

/** The first loose edge of a graph: every input must exist, and for registered ops, every port. */
export function findLooseEdge(graph: Graph): LooseEdge | undefined {
  for (const node of graph.nodes()) {
    const producers = graph.inputNodes(node);
    for (const [i, ref] of node.inputs.entries()) {
      const producer = producers[i];
      if (producer && ref.port < (outputCount(producer) ?? Number.POSITIVE_INFINITY)) continue;
      return { node, edge: refText(ref), producer };
    }
    const missing = node.controls.find((name) => !graph.has(name));
    if (missing !== undefined) return { node, edge: `^${missing}`, producer: undefined };
  }
  return undefined;
}

/**
 * Checks that a graph was read from a complete file.
 * @throws BnfixError `unreadable` when an input or control input of a node does not exist
 */
export function refuseLooseEdges(graph: Graph): void {
  const loose = findLooseEdge(graph);
  if (!loose) return;
  const { node, edge, producer } = loose;
  throw missingInput(node, edge, producer && `${producer.name} (${producer.op}) has ${outputCount(producer)} outputs`);
}
