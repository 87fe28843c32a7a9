import { attrBool } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, isIdentity } from '../../ops/meaning.js';
import { constantInts, constantScalar } from '../values/constants.js';
import type { Shapes } from '../values/shapes.js';

const isFused = anyOf('fused_batch_norm');
const isAverage = anyOf('average');

/** An absent is_training means true: the op's default, which strip_default_attrs removes. */
export function isTrainingFused(node: Node): boolean {
  return isFused(node) && (attrBool(node, 'is_training') ?? true);
}

/** Whether axes are a Range that starts at 0. */
function startsAtBatch(graph: Graph, axes: TensorRef | undefined): boolean {
  const range = axes && graph.find(sourceOf(graph, axes, isIdentity).node);
  return range?.op === 'Range' && constantScalar(graph, range.inputs[0]) === 0;
}

/** Whether an op averages over the examples of a batch and keeps the channels. */
export function isBatchReduction(graph: Graph, shapes: Shapes, node: Node): boolean {
  return isAverage(node) && reducesBatch(graph, shapes, node);
}

/** The same where the batch may always be one example. */
export function isBatchAxisReduction(graph: Graph, shapes: Shapes, node: Node): boolean {
  return isAverage(node) && reducesBatchAxis(graph, shapes, node);
}

/** Whether a reduction covers the batch dimension and keeps the channels. */
export function reducesBatch(graph: Graph, shapes: Shapes, node: Node): boolean {
  const x = node.inputs[0] && shapes.of(node.inputs[0]);
  return x?.[0] !== 1 && reducesBatchAxis(graph, shapes, node);
}

/** The same where the batch may always be one example: nobody reduces that axis to normalise each example by itself. */
export function reducesBatchAxis(graph: Graph, shapes: Shapes, node: Node): boolean {
  const rank = node.inputs[0] && shapes.of(node.inputs[0])?.length;
  const axes = constantInts(graph, node.inputs[1]);
  // Axes from 0 up to a rank that is known only at run time.
  if (!axes) return startsAtBatch(graph, node.inputs[1]);
  if (axes.length === 0) return false;
  const batch = axes.some((axis) => axis === 0 || (rank !== undefined && axis === -rank));
  return batch && (rank === undefined || axes.length < rank);
}
