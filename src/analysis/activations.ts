import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';
import { spread } from '../graph/walk.js';
import { isVariable } from './variables.js';

const NO_DATA = /^(Const|NoOp|Shape|ShapeN|Size|Rank|ZerosLike|OnesLike)$/;

/** The nodes whose value depends on what the net is fed, or on noise: not on weights, constants and shapes alone. */
export function findActivations(graph: Graph): NodeSet {
  return spreadFromSources(graph, (node) => !NO_DATA.test(node.op) && !isVariable(node));
}

/** What the sources of a graph reach through nodes that are admitted, which a source has to be as well. */
export function spreadFromSources(graph: Graph, admits: (node: Node) => boolean): NodeSet {
  return spread(graph, (node, reached) => {
    if (!admits(node)) return false;
    const isSource = node.inputs.length === 0 || node.op === 'PlaceholderWithDefault';
    return isSource || graph.inputNodes(node).some((input) => reached.has(input));
  });
}
