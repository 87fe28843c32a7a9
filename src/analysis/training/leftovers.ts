import type { Graph } from '../../graph/graph.js';
import type { Checkpoint } from '../../graph/model.js';
import type { TensorRef } from '../../graph/node.js';
import { refText, sameRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { readDistinct } from '../../graph/tensor.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import { assignedValue, assignKind, findAssignments, isElementwise, isStepCounter } from '../state/assignments.js';
import { AverageCheck, MAX_UPDATE_OPS } from '../state/average_check.js';
import { variableValue } from '../state/checkpoint_value.js';
import { CONVERGED_STEP, isElementCount } from '../state/steady_state.js';
import { evaluate } from '../values/evaluate.js';
import { Shapes } from '../values/shapes.js';
import { isBatchReduction, isTrainingFused } from './batch_statistics.js';
import { Gradients, isTrainingGradient } from './gradients.js';
import type { Inference, Training } from './inference.js';
import type { Problem } from './problems.js';

/** What still uses batch statistics, or depends on the number of training steps, after every average was replaced. */
export function findLeftovers(training: Training, inference: Inference, checkpoint: Checkpoint | undefined): Problem[] {
  return [
    ...inference.unreplaced.map(
      ({ statistic, variable }): Problem => ({
        code: 'still_in_use',
        node: statistic.node,
        tensor: statistic.node,
        variable: variable.node,
      }),
    ),
    ...leftInBatchNorms(training, inference),
    ...sumsByCount(training, inference),
    ...updatesOtherwise(training, inference),
    ...gradientsLeft(training, inference),
    ...stepCorrections(training, inference, checkpoint),
  ];
}

/** Batch norms whose reductions or gradients still feed an output. */
function leftInBatchNorms({ batchNorms, isKept }: Training, { before, after }: Inference): Problem[] {
  const gradients = new Gradients(after.live);
  const problems: Problem[] = [];
  for (const { name, unfused, status } of batchNorms) {
    if (!unfused || isKept(name) || !before.live.hasNamed(name)) continue;
    if (status.kind !== 'paired' && status.kind !== 'averaged_in_parts') continue;
    const left = unfused.reductions.find((reduction) => after.live.hasNamed(reduction));
    if (left !== undefined && status.kind === 'averaged_in_parts') {
      problems.push({ code: 'unpaired', batchNorm: name, reason: status.reason });
      continue;
    }
    if (!after.live.hasNamed(name)) continue;
    if (left !== undefined) problems.push({ code: 'still_in_use', node: name, tensor: left, variable: undefined });
    const gradient = unfused.reductions.map((reduction) => gradients.of(reduction)).find((node) => node !== undefined);
    if (gradient !== undefined) problems.push({ code: 'gradient', node: name, gradient });
  }
  return problems;
}

const sumsOrAverages = anyOf('average');
const isMean = anyOf('mean');
const scales = anyOf('multiply', 'divide');
const forwards = anyOf('identity', 'cast', 'reshape');

/** Averages of sums over the batch that are divided by the number of elements in the batch at hand: two sizes do not match. */
function sumsByCount({ graph, isKept }: Training, { after }: Inference): Problem[] {
  const problems: Problem[] = [];
  for (const { tensor, by, role } of after.used.values()) {
    const { node } = tensor;
    const made = graph.find(sourceOf(graph, tensor, forwards).node);
    const isSum = sumsOrAverages(made) && !isMean(made);
    if (role !== 'statistic' || 'value' in by || !isSum || isKept(node)) continue;
    const readers = new Set(graph.consumers(tensor).filter((reader) => after.live.has(reader)));
    for (const reader of readers) {
      if (forwards(reader)) for (const next of graph.dataConsumers(reader.name)) readers.add(next);
      if (!scales(reader) || !reader.inputs.some((input) => isElementCount(graph, input))) continue;
      problems.push({ code: 'still_in_use', node: reader.name, tensor: node, variable: by.variable.node });
    }
  }
  return problems;
}

/**
 * Batch statistics in use, outside of batch norms, that update a variable but are not simply averaged by one: a multiple is
 * averaged, they are summed up, several variables average them, or one does in another order or together with others. Their
 * replacement at inference is unknown.
 */
function updatesOtherwise(training: Training, inference: Inference): Problem[] {
  const { graph, variables, updates, batchNorms, isKept } = training;
  const known = new Set(batchNorms.flatMap(({ unfused }) => unfused?.reductions ?? []));
  const left = new Set(batchReductionsLeft(training, inference).filter((name) => !known.has(name) && !isKept(name)));
  if (left.size === 0) return [];
  const problems: Problem[] = [];
  const check = new AverageCheck(graph, variables);
  for (const { variable, assigns } of findAssignments(graph, variables).values()) {
    if (!updates.updated.has(variable.node)) continue;
    for (const assign of assigns) {
      // A plain copy is only for monitoring.
      const isCopy = (ref: TensorRef) => assignKind(assign) === 'set' && sameRef(ref, assignedValue(assign));
      const tensor = check.candidates(variable, assign).find((ref) => left.has(ref.node) && !isCopy(ref))?.node;
      if (tensor !== undefined) problems.push({ code: 'still_in_use', node: tensor, tensor, variable: variable.node });
    }
  }
  for (const { variable, statistic, isCopy } of [...updates.averages.values()].flat()) {
    // Flags may have removed it.
    if (isCopy || !moves(graph.find(statistic.node))) continue;
    const tensor = movedFrom(graph, statistic, left);
    if (tensor !== undefined) problems.push({ code: 'still_in_use', node: tensor, tensor, variable: variable.node });
  }
  return problems;
}

const moves = anyOf('transpose', 'reverse', 'concat', 'pack', 'gather', 'slice', 'split', 'tile');

/** The first of the named nodes whose elements a tensor consists of, at other positions. */
function movedFrom(graph: Graph, ref: TensorRef, wanted: ReadonlySet<string>): string | undefined {
  const seen = new NodeSet(graph, [graph.get(ref.node)]);
  for (const node of seen) {
    if (wanted.has(node.name)) return node.name;
    if (seen.size > MAX_UPDATE_OPS) return undefined;
    if (moves(node) || isElementwise(node)) for (const input of graph.inputNodes(node)) seen.add(input);
  }
  return undefined;
}

/** Gradients of fused batch norms that go through batch statistics; those of repaired ones become those of inference. */
function gradientsLeft({ batchNorms, isKept }: Training, { after }: Inference): Problem[] {
  const repaired = new Set(batchNorms.flatMap(({ name, status }) => (status.kind === 'paired' ? [name] : [])));
  const problems: Problem[] = [];
  for (const node of after.live) {
    if (!isTrainingGradient(node) || isKept(node.name)) continue;
    const batchNorm = node.inputs[3]?.node ?? node.name;
    if (isKept(batchNorm) || repaired.has(batchNorm)) continue;
    problems.push({ code: 'gradient', node: batchNorm, gradient: node.name });
  }
  return problems;
}

const TOLERANCE = 1e-5;

/**
 * Corrections of moving statistics by the number of training steps. A net that mixes moving and batch statistics during
 * training may correct the mixture like this; inference does not, and the graph does not show what it would do.
 */
function stepCorrections(
  { graph, variables, isKept }: Training,
  { after: { live, activations, used }, others }: Inference,
  checkpoint: Checkpoint | undefined,
): Problem[] {
  if (others.size === 0) return [];
  const counters = [...variables.byNode.values()].filter(
    ({ node }) => live.hasNamed(node) && isStepCounter(graph, graph.get(node)),
  );
  if (counters.length === 0) return [];
  const steps = new Map(counters.map((each) => [each.node, readDistinct(variableValue(each, checkpoint))[0] ?? 0]));
  const value = (ref: TensorRef, statistic: number, step?: number) =>
    evaluate(graph, ref, (leaf) => {
      const by = used.get(refText(leaf))?.by;
      if (by && 'value' in by) return by.value;
      const variable = by?.variable.node ?? variables.readBy(leaf)?.node;
      if (variable === undefined) return undefined;
      if (steps.has(variable)) return step ?? steps.get(variable);
      return others.has(variable) ? statistic : undefined;
    });
  const problems: Problem[] = [];
  for (const node of consumersOf(graph, steps.keys(), live, activations)) {
    if (!isElementwise(node) || isKept(node.name)) continue;
    const ref = { node: node.name, port: 0 };
    const [now, other, late] = [value(ref, 1.7), value(ref, 2.9), value(ref, 1.7, CONVERGED_STEP)];
    if (now === other || Math.abs(now - late) <= TOLERANCE * Math.abs(late)) continue;
    problems.push({ code: 'step_dependent', node: node.name, factor: now / late });
    return problems;
  }
  return problems;
}

/** The live nodes that are reachable from the named ones without passing an activation. */
function consumersOf(graph: Graph, from: Iterable<string>, live: NodeSet, activations: NodeSet): NodeSet {
  const found = new NodeSet(graph);
  for (const name of from) found.add(graph.find(name));
  for (const node of found) {
    for (const consumer of graph.dataConsumers(node.name)) {
      if (live.has(consumer) && !activations.has(consumer)) found.add(consumer);
    }
  }
  return found;
}

/** Reductions over the batch that inference uses, intended or not: the outputs may depend on the batch. */
export function batchReductionsLeft({ graph }: Training, { after }: Inference): string[] {
  const shapes = new Shapes(graph);
  const isLeft = (name: string) => {
    const node = graph.find(name)!;
    return after.activations.has(node) && !isTrainingFused(node) && isBatchReduction(graph, shapes, node);
  };
  return [...graph.nodes()].map(({ name }) => name).filter(isLeft);
}
