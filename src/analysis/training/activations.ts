import type { Graph } from '../../graph/graph.js';
import { memoizeByVersion } from '../../graph/memo.js';
import type { Node } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { spread } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import { isVariable } from '../state/variables.js';

/** The nodes whose value depends on what the net is fed, or on noise: not on weights, constants and shapes alone. */
export const findActivations = memoizeByVersion(
  (graph: Graph): NodeSet => spreadFromSources(graph, (node) => !isNoData(node) && !isVariable(node)),
  (graph) => graph,
);

const isNoData = anyOf('constant', 'no_op', 'shape_query', 'shape_like');
const isFedWithDefault = anyOf('default_placeholder');

/** What the sources of a graph reach through nodes that are admitted, which a source has to be as well. */
export function spreadFromSources(graph: Graph, admits: (node: Node) => boolean): NodeSet {
  return spread(graph, (node, reached) => {
    if (!admits(node)) return false;
    const isSource = node.inputs.length === 0 || isFedWithDefault(node);
    return isSource || graph.inputNodes(node).some((input) => reached.has(input));
  });
}
