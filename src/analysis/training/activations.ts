import type { Graph } from '../../graph/graph.js';
import { memoizeByVersion } from '../../graph/memo.js';
import type { Node } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { spread } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import { isVariable } from '../state/variables.js';

/** The nodes whose value depends on the net's inputs or on random ops, not only on weights, constants and shapes. */
export const findActivations = memoizeByVersion(
  (graph: Graph): NodeSet => spreadFromSources(graph, mayBeActivation),
  (graph) => graph,
);

const isNoData = anyOf('constant', 'no_op', 'shape_query', 'replica_count', 'shape_like', 'restore');
const isFedWithDefault = anyOf('default_placeholder');

/** Whether a node can output data: constants, shapes, variables and what a checkpoint holds cannot. */
export function mayBeActivation(node: Node): boolean {
  return !isNoData(node) && !isVariable(node);
}

/** Whether a node is a source of data or of a random tensor. */
export function isActivationSource(node: Node): boolean {
  return node.inputs.length === 0 || isFedWithDefault(node);
}

/** The nodes reachable from the sources of a graph through admitted nodes; a source must be admitted as well. */
export function spreadFromSources(graph: Graph, admits: (node: Node) => boolean): NodeSet {
  return spread(graph, (node, reached) => {
    if (!admits(node)) return false;
    return isActivationSource(node) || graph.inputNodes(node).some((input) => reached.has(input));
  });
}
