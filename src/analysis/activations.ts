import type { Graph, Node } from '../graph/graph.js';
import { topologicalOrder } from '../graph/walk.js';
import { isVariable } from './variables.js';

const NO_DATA = /^(Const|NoOp|Shape|ShapeN|Size|Rank|ZerosLike|OnesLike)$/;

/** Names of the nodes whose value depends on what the net is fed, or on noise: not on weights, constants and shapes alone. */
export function findActivations(graph: Graph, order: readonly Node[] = topologicalOrder(graph)): Set<string> {
  const found = new Set<string>();
  // What a loop computes comes back to its beginning: once more until nothing is new.
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const node of order) {
      if (NO_DATA.test(node.op) || isVariable(node)) continue;
      const source = node.inputs.length === 0 || node.op === 'PlaceholderWithDefault';
      if (source || node.inputs.some((ref) => found.has(ref.node))) found.add(node.name);
    }
  }
  return found;
}
