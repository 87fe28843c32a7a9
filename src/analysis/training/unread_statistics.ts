import { isFloat } from '../../graph/dtype.js';
import { elementCount } from '../../graph/tensor.js';
import { anyOf } from '../../ops/meaning.js';
import type { Variable } from '../state/variables.js';
import { Shapes } from '../values/shapes.js';
import { isTrainingFused, reducesBatch } from './batch_statistics.js';
import type { Inference, Training } from './inference.js';
import type { Problem } from './problems.js';
import { isSlot, isUnread } from './unread_variables.js';

const reduces = anyOf('reduction');

/** A word of moving statistics in the last two parts of a name. */
const MOVING =
  /(^|[/_.])(moving|Moving|running|Running|rolling|Rolling|population|(pop|ema|EMA)(?![a-z]))|ExponentialMovingAverage/;

/**
 * Reductions over the batch that are left outside of batch norms, where variables of their size are named as moving statistics and
 * nothing in the graph reads them: a normalisation whose update ops were stripped. Names only raise the suspicion; they pair nothing.
 */
export function unreadStatistics(training: Training, { after }: Inference): Problem[] {
  const { graph, batchNorms, isKept } = training;
  const suspects = unreadMoving(training);
  if (suspects.length === 0) return [];
  const shapes = new Shapes(graph);
  const known = new Set(batchNorms.flatMap(({ unfused }) => unfused?.reductions ?? []));
  return [...graph.nodes()].flatMap((node): Problem[] => {
    if (!reduces(node) || !after.activations.has(node) || isTrainingFused(node)) return [];
    if (known.has(node.name) || isKept(node.name) || !reducesBatch(graph, shapes, node)) return [];
    const size = sizeOf(shapes.of({ node: node.name, port: 0 }));
    const fitting = suspects.filter(({ shape }) => size !== undefined && sizeOf(shape) === size);
    if (fitting.length === 0) return [];
    return [{ code: 'unread_statistic', node: node.name, variables: fitting.map((variable) => variable.node) }];
  });
}

/** The variables with such names that only savers and initialisers take, and that replace no other statistic. */
function unreadMoving({ graph, variables, updates, batchNorms, given }: Training): Variable[] {
  const taken = new Set([...given.values()].map(({ node }) => node));
  for (const { status } of batchNorms) {
    if (status.kind !== 'paired') continue;
    taken.add(status.statistics.mean.node).add(status.statistics.variance.node);
  }
  return [...variables.byNode.values()].filter(
    (variable) =>
      MOVING.test(variable.node.split('/').slice(-2).join('/')) &&
      isFloat(variable.dtype) &&
      !taken.has(variable.node) &&
      !updates.updated.has(variable.node) &&
      !isSlot(variables, variable) &&
      isUnread(graph, variable, () => true),
  );
}

/** Number of elements of a shape; undefined if it is not known, and for a single number. */
function sizeOf(shape: readonly number[] | undefined): number | undefined {
  return shape && shape.length > 0 && shape.every((size) => size >= 0) ? elementCount(shape) : undefined;
}
