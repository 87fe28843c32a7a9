import type { Graph } from '../graph/graph.js';
import { missingInput } from '../graph/missing_input.js';
import { type Node, refText } from '../graph/node.js';
import { outputCount } from './registry.js';

/** An input or a control input that leads nowhere. */
export interface LooseEdge {
  readonly node: Node;
  /** As NodeDefs write it. */
  readonly edge: string;
  /** The node that does not have the port; undefined when it is the node that is missing. */
  readonly producer: Node | undefined;
}

/** The first loose edge of a graph: every input has to exist, and every port of an op that is registered. */
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
 * Checks that a graph as it was read can be that of a whole file.
 * @throws BnfixError `unreadable` when a node reads, or waits for, what does not exist
 */
export function refuseLooseEdges(graph: Graph): void {
  const loose = findLooseEdge(graph);
  if (!loose) return;
  const { node, edge, producer } = loose;
  throw missingInput(node, edge, producer && `${producer.name} (${producer.op}) has ${outputCount(producer)} outputs`);
}
