import type { Graph } from '../../graph/graph.js';
import { memoizeByVersion } from '../../graph/memo.js';
import type { Node } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { SHAPE_READERS, spread } from '../../graph/walk.js';
import { isVariable } from '../state/variables.js';

/** The nodes whose value depends on what the net is fed, or on noise: not on weights, constants and shapes alone. */
export const findActivations = memoizeByVersion(
  (graph: Graph): NodeSet => spreadFromSources(graph, (node) => !isNoData(node) && !isVariable(node)),
  (graph) => graph,
);

function isNoData({ op }: Node): boolean {
  return op === 'Const' || op === 'NoOp' || SHAPE_READERS.has(op);
}

/** What the sources of a graph reach through nodes that are admitted, which a source has to be as well. */
export function spreadFromSources(graph: Graph, admits: (node: Node) => boolean): NodeSet {
  return spread(graph, (node, reached) => {
    if (!admits(node)) return false;
    const isSource = node.inputs.length === 0 || node.op === 'PlaceholderWithDefault';
    return isSource || graph.inputNodes(node).some((input) => reached.has(input));
  });
}
