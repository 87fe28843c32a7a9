import { isNormArithmetic } from '../analysis/training/stored_statistics.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';

/** The arithmetic of a batch norm is about this many ops. */
const MOST_NODES = 24;

/**
 * The drawn nodes of an unfused batch norm: between the activation that it normalises and the root, and after the root.
 * @param x - the node that makes the activation
 */
export function nodesOfNorm(graph: Graph, root: Node, x: Node | undefined, drawn: NodeSet): Node[] {
  const found = new Set<Node>(drawn.has(root) ? [root] : []);
  for (const node of found) {
    for (const input of graph.inputNodes(node)) {
      if (input && input !== x && drawn.has(input) && found.size < MOST_NODES) found.add(input);
    }
  }
  // Without x, where it begins is unknown.
  if (!x) found.clear();
  const reached = new Set([...found, root]);
  for (const node of reached) {
    if (reached.size > 2 * MOST_NODES) break;
    for (const consumer of graph.dataConsumers(node.name)) {
      if (!isNormArithmetic(consumer)) continue;
      const isOwn = graph
        .inputNodes(consumer)
        .every((input) => !drawn.has(input) || input === x || (input !== undefined && reached.has(input)));
      if (!isOwn) continue;
      reached.add(consumer);
      if (drawn.has(consumer)) found.add(consumer);
    }
  }
  return [...found];
}
