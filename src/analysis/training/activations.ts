import type { Graph } from '../../graph/graph.js';
import { memoizeByVersion } from '../../graph/memo.js';
import type { Node } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { spread } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import { isVariable } from '../state/variables.js';

/** The nodes whose value depends on what the net is fed, or on noise: not on weights, constants and shapes alone. */
export const findActivations = memoizeByVersion(
  (graph: Graph): NodeSet => spreadFromSources(graph, mayBeActivation),
  (graph) => graph,
);

const isNoData = anyOf('constant', 'no_op', 'shape_query', 'shape_like');
const isFedWithDefault = anyOf('default_placeholder');

/** Whether the op of a node can hand data on: constants, shapes and variables have none. */
export function mayBeActivation(node: Node): boolean {
  return !isNoData(node) && !isVariable(node);
}

/** Whether data, or a random tensor, begins at a node. */
export function isActivationSource(node: Node): boolean {
  return node.inputs.length === 0 || isFedWithDefault(node);
}

/** What the sources of a graph reach through nodes that are admitted, which a source has to be as well. */
export function spreadFromSources(graph: Graph, admits: (node: Node) => boolean): NodeSet {
  return spread(graph, (node, reached) => {
    if (!admits(node)) return false;
    return isActivationSource(node) || graph.inputNodes(node).some((input) => reached.has(input));
  });
}
