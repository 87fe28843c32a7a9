import type { Graph } from '../graph/graph.js';
import type { NodeSet } from '../graph/node_set.js';
import { spread } from '../graph/walk.js';
import { isVariable } from './variables.js';

const NO_DATA = /^(Const|NoOp|Shape|ShapeN|Size|Rank|ZerosLike|OnesLike)$/;

/** The nodes whose value depends on what the net is fed, or on noise: not on weights, constants and shapes alone. */
export function findActivations(graph: Graph): NodeSet {
  return spread(graph, (node, found) => {
    if (NO_DATA.test(node.op) || isVariable(node)) return false;
    const isSource = node.inputs.length === 0 || node.op === 'PlaceholderWithDefault';
    return isSource || graph.inputNodes(node).some((input) => found.has(input));
  });
}
