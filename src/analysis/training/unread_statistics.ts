import { isFloat } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { elementCount } from '../../graph/tensor.js';
import { anyOf } from '../../ops/meaning.js';
import type { Variable } from '../state/variables.js';
import { type Shape, Shapes } from '../values/shapes.js';
import { isTrainingFused, reducesBatch } from './batch_statistics.js';
import type { Inference, Training } from './inference.js';
import type { Problem } from './problems.js';
import { isSlot, isUnread } from './unread_variables.js';

const reduces = anyOf('reduction');
const combines = anyOf('add', 'subtract', 'multiply', 'divide', 'bias');

/** A word of moving statistics in the last two parts of a name. */
const MOVING =
  /(^|[/_.])(moving|Moving|running|Running|rolling|Rolling|population|(pop|ema|EMA)(?![a-z]))|ExponentialMovingAverage/;

/**
 * Reductions over the batch that are left outside of batch norms, and other tensors that all examples share although they depend on
 * data, where variables of their size are named as moving statistics and nothing in the graph reads them: a normalisation whose
 * update ops were stripped. Names only raise the suspicion; they pair nothing.
 */
export function unreadStatistics(training: Training, { after }: Inference): Problem[] {
  const { graph, batchNorms, isKept } = training;
  const shapes = new Shapes(graph);
  const suspects = unreadMoving(training, shapes);
  if (suspects.length === 0) return [];
  const known = new Set(batchNorms.flatMap(({ unfused }) => unfused?.reductions ?? []));
  const shared = sharedByExamples(graph, shapes, after.activations);
  return [...graph.nodes()].flatMap((node): Problem[] => {
    if (!after.activations.has(node) || isTrainingFused(node) || known.has(node.name) || isKept(node.name)) return [];
    if (!shared.has(node) && !(reduces(node) && reducesBatch(graph, shapes, node))) return [];
    const size = sizeAt(shapes, node);
    const fitting = suspects.filter(({ shape }) => size !== undefined && sizeOf(shape) === size);
    if (fitting.length === 0) return [];
    return [{ code: 'unread_statistic', node: node.name, variables: fitting.map((variable) => variable.node) }];
  });
}

/**
 * The ops that mix the examples of a batch: what they output is combined elementwise with tensors that have a row for each
 * example, but has none itself.
 */
function sharedByExamples(graph: Graph, shapes: Shapes, activations: NodeSet): NodeSet {
  const shared = new NodeSet(graph);
  for (const node of activations) {
    const rank = shapes.of({ node: node.name, port: 0 })?.length;
    if (!combines(node) || rank === undefined || !node.inputs.some((ref) => hasExamples(shapes.of(ref), rank)))
      continue;
    for (const [i, ref] of node.inputs.entries()) {
      const shape = shapes.of(ref);
      const input = graph.inputNode(node, i);
      if (input && activations.has(input) && shape && sizeOf(shape) && !hasExamples(shape, rank)) shared.add(input);
    }
  }
  // Back to where the examples are mixed: scales and roots of a statistic have its size.
  const origins = new NodeSet(graph);
  for (const node of shared) {
    const size = sizeAt(shapes, node);
    const before = graph.inputNodes(node).flatMap((input) => (input && activations.has(input) ? [input] : []));
    const same = before.filter((input) => sizeAt(shapes, input) === size);
    for (const input of same) shared.add(input);
    // Statistics of a fused batch norm are reported with it.
    const isOfFused = node.inputs.some((ref) => ref.port > 0 && isTrainingFused(graph.get(ref.node)));
    if (same.length < before.length && !isOfFused) origins.add(node);
  }
  return origins;
}

/** Whether a tensor has a row for each example of a batch, as an operand of an elementwise op. @param rank - of the result */
function hasExamples(shape: Shape, rank: number): boolean {
  return shape !== undefined && shape.length === rank && shape[0] !== 1;
}

/**
 * The variables with such names that only savers, initialisers and remains of update ops take, and that replace no other
 * statistic.
 */
function unreadMoving({ graph, outputs, variables, updates, batchNorms, given }: Training, shapes: Shapes): Variable[] {
  const isRemainder = remainderTest(graph, shapes, new Set(outputs.map(({ node }) => node)));
  const taken = new Set([...given.values()].map(({ node }) => node));
  for (const { status } of batchNorms) {
    if (status.kind !== 'paired') continue;
    taken.add(status.statistics.mean.node).add(status.statistics.variance.node);
  }
  return [...variables.byNode.values()].filter(
    (variable) =>
      MOVING.test(lastParts(variable)) &&
      isFloat(variable.dtype) &&
      !taken.has(variable.node) &&
      !updates.updated.has(variable.node) &&
      !isSlot(variables, variable) &&
      isUnread(graph, variable, (node) => !isRemainder(node, variable)),
  );
}

/** The part of its name that tells what a variable is. Step counters are named after the statistic that they are beside. */
function lastParts({ node, shape }: Variable): string {
  return node
    .split('/')
    .slice(shape?.length === 0 ? -1 : -2)
    .join('/');
}

/**
 * Whether an op computes something of the size of a variable that ends nowhere: what is left of an update op. Which ops lead
 * to an output or to another size is found once, when it is first asked.
 */
function remainderTest(graph: Graph, shapes: Shapes, outputs: ReadonlySet<string>) {
  let leads: NodeSet | undefined;
  return (node: Node, { shape }: Variable): boolean => {
    const size = sizeOf(shape);
    if (size === undefined || sizeAt(shapes, node) !== size) return false;
    leads ??= leadingElsewhere(graph, shapes, outputs);
    return !leads.has(node);
  };
}

function leadingElsewhere(graph: Graph, shapes: Shapes, outputs: ReadonlySet<string>): NodeSet {
  const leads = new NodeSet(graph);
  for (const node of graph.nodes()) {
    const size = sizeAt(shapes, node);
    const changesSize = graph.dataConsumers(node.name).some((consumer) => sizeAt(shapes, consumer) !== size);
    if (outputs.has(node.name) || changesSize) leads.add(node);
  }
  for (const node of leads) for (const input of graph.inputNodes(node)) leads.add(input);
  return leads;
}

/** Number of elements of an op's first output; undefined if it is not known. */
function sizeAt(shapes: Shapes, node: Node): number | undefined {
  return sizeOf(shapes.of({ node: node.name, port: 0 }));
}

/** Number of elements of a shape; undefined if it is not known. */
function sizeOf(shape: readonly number[] | undefined): number | undefined {
  return shape?.every((size) => size >= 0) ? elementCount(shape) : undefined;
}
