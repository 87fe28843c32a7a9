import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { isSelect } from '../../ops/meaning.js';
import { isElementwise, operands } from '../state/assignments.js';
import type { Shapes } from '../values/shapes.js';
import { findActivations } from './activations.js';
import { isBatchReduction, isTrainingFused } from './batch_statistics.js';

/**
 * The tensors that arithmetic combines with batch statistics before they are applied to an activation: scale and offset,
 * corrections of batch renormalisation, and moving statistics weighted by a numeric flag. Excludes selections.
 *
 * @param statistics - the means and variances of one batch norm
 * @param feeding - the nodes that feed an output: what is left of removed update ops is of no interest
 */
export function mixedIn(graph: Graph, shapes: Shapes, statistics: readonly TensorRef[], feeding: NodeSet): TensorRef[] {
  const activations = findActivations(graph);
  const found: TensorRef[] = [];
  const seen = new Map(statistics.map((ref) => [refText(ref), ref]));
  for (const ref of seen.values()) {
    for (const node of graph.consumers(ref)) {
      if (!feeding.has(node) || !isElementwise(node) || !isBatchStatistic(graph, shapes, node)) continue;
      if (!isSelect(node)) found.push(...operands(node).filter((input) => !activations.hasNamed(input.node)));
      seen.set(node.name, { node: node.name, port: 0 });
    }
  }
  return found;
}

/** Whether a node depends on inputs only through reductions over the batch. */
function isBatchStatistic(graph: Graph, shapes: Shapes, node: Node): boolean {
  const activations = findActivations(graph);
  const fed = (at: Node) => at.inputs.filter((ref) => activations.hasNamed(ref.node));
  const seen = new Map(fed(node).map((ref) => [refText(ref), ref]));
  for (const { node: name, port } of seen.values()) {
    const at = graph.get(name);
    if ((isTrainingFused(at) && port > 0) || isBatchReduction(graph, shapes, at)) continue;
    if (!isElementwise(at)) return false;
    for (const ref of fed(at)) seen.set(refText(ref), ref);
  }
  return true;
}
