import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, isIdentity } from '../../ops/meaning.js';
import { assignedVariable, isElementwise } from '../state/assignments.js';
import type { MovingAverage } from '../state/moving_average.js';
import type { Updates } from '../state/moving_averages.js';
import type { Correction } from '../state/renorm_corrections.js';
import type { Variable, Variables } from '../state/variables.js';
import { Shapes } from '../values/shapes.js';
import type { BatchNorm } from './batch_norms.js';
import { isTrainingFused, reducesBatch } from './batch_statistics.js';
import { isTrainingGradient } from './gradients.js';
import { InferenceView, type Replacement, type Replacing, shapeInPlaceOf } from './replacements.js';
import { SampledMoments } from './sampled_moments.js';

/** Facts about a graph in which batch statistics are to be replaced. */
export interface Training {
  readonly graph: Graph;
  readonly outputs: readonly TensorRef[];
  readonly variables: Variables;
  readonly updates: Updates;
  readonly corrections: readonly Correction[];
  readonly batchNorms: readonly BatchNorm[];
  /** The variables that the user names in place of single statistics (tensors or variables), by `node:port`. */
  readonly given: ReadonlyMap<string, Variable>;
  /** Whether the user wants to keep a node unchanged. */
  readonly isKept: (name: string) => boolean;
}

/** The graph before and after batch statistics are replaced. */
export interface Inference {
  /** The nodes that feed the outputs before batch statistics are replaced; corrections and assignments are bypassed. */
  readonly before: InferenceView;
  /** The nodes that feed the outputs at inference. */
  readonly after: InferenceView;
  /** The replacements in `after`. */
  readonly replacing: Replacing;
  /** Variables that replace a statistic which belongs to no batch norm. */
  readonly others: ReadonlySet<string>;
  /** Averaged tensors in use that cannot be replaced: of unknown shape, or not shown to be computed from the batch. */
  readonly unreplaced: readonly MovingAverage[];
}

/**
 * Replaces every batch statistic (a mean, a variance, a maximum, a second moment, a deviation) by the variable that
 * averages it. One walk backwards from the outputs stops at each replaced tensor; the nodes that it reaches are those in
 * use at inference.
 */
export function viewAtInference(training: Training): Inference {
  const { graph, outputs } = training;
  const shapes = new Shapes(graph);
  const bypassed = bypasses(training);
  const before = new InferenceView(graph, outputs, bypassed);
  const ofBatchNorms = statisticsOfBatchNorms(training, shapes, before);
  const keptTensors = tensorsOfKept(training);
  const others = new Set<string>();
  const unreplaced = new Map<string, MovingAverage>();
  const decided = new Map<string, Replacement | undefined>();
  const { given } = training;
  const statistic = (ref: TensorRef): Replacement | undefined => {
    const key = refText(ref);
    const named =
      given.size > 0 ? (given.get(key) ?? given.get(training.variables.readBy(ref)?.node ?? '')) : undefined;
    if (named) {
      if (training.variables.readBy(ref) !== named) others.add(named.node);
      return training.variables.readBy(ref) === named ? undefined : inPlaceOf(training, shapes, ref, named);
    }
    if (!ofBatchNorms.has(key) && !training.updates.averages.has(key)) return undefined;
    if (decided.has(key)) return decided.get(key);
    const own = ofBatchNorms.get(key);
    const average = own ? undefined : soleAverage(training, ref, keptTensors);
    const isStatistic = own !== undefined || (average !== undefined && isMadeOfBatch(graph, shapes, ref));
    const variable = own ?? average?.variable;
    const replacement = isStatistic ? replacedBy(training, shapes, ref, variable!) : undefined;
    if (average && !replacement) unreplaced.set(key, average);
    if (average && replacement) others.add(average.variable.node);
    decided.set(key, replacement);
    return replacement;
  };
  const repaired = new Map(
    training.batchNorms.flatMap(({ name, status }) =>
      status.kind === 'paired' && !training.isKept(name) ? [[name, status.statistics] as const] : [],
    ),
  );
  const replacing: Replacing = (input, node, index) => {
    // The statistics of a fused batch norm are its inputs 3 and 4, and those of its gradients.
    const batchNorm = isTrainingFused(node) ? node.name : isTrainingGradient(node) ? node.inputs[3]?.node : undefined;
    const statistics = batchNorm === undefined ? undefined : repaired.get(batchNorm);
    const variable = statistics && (index === 3 ? statistics.mean : index === 4 ? statistics.variance : undefined);
    if (variable) return { tensor: input, by: { variable, shape: undefined }, role: 'input' };
    return bypassed(input, node, index) ?? statistic(input);
  };
  const after = new InferenceView(graph, outputs, replacing);
  return { before, after, replacing, others, unreplaced: [...unreplaced.values()] };
}

/** Replacements that do not depend on batch norms: corrections of renormalisation, and values just assigned. */
function bypasses(training: Training): Replacing {
  const { corrections } = training;
  const byTensor = new Map(
    corrections.map(({ ref, value, shape }): [string, Replacement] => [
      refText(ref),
      { tensor: ref, by: { value, shape }, role: 'correction' },
    ]),
  );
  const averaged = new Set([...training.updates.averages.values()].flat().map(({ variable }) => variable.node));
  const correction = (input: TensorRef) => (byTensor.size > 0 ? byTensor.get(refText(input)) : undefined);
  return (input, node, index) => correction(input) ?? assignedInUse(training, averaged, input, node, index);
}

const assigns = anyOf('assign');
const quantizes = anyOf('fake_quantize');

/**
 * Replaces a value that an assignment just computed from the batch by the stored variable: a range of fake quantisation
 * (tf.contrib.quantize), or a moving average as shown by its update op.
 */
function assignedInUse(
  { graph, variables }: Training,
  averaged: ReadonlySet<string>,
  input: TensorRef,
  node: Node,
  index: number,
): Replacement | undefined {
  const isRange = quantizes(node) && index > 0;
  const assign = isRange ? graph.find(sourceOf(graph, input, isIdentity).node) : graph.inputNode(node, index);
  if (!assign || !assigns(assign)) return undefined;
  const variable = assignedVariable(variables, assign);
  if (variable?.kind !== 'ref' || !(isRange || averaged.has(variable.node))) return undefined;
  return { tensor: input, by: { variable, shape: undefined }, role: 'assignment' };
}

/** The tensors that carry the statistics of paired batch norms in use, and the variables that replace them. */
function statisticsOfBatchNorms(
  { graph, batchNorms, updates, isKept }: Training,
  shapes: Shapes,
  { live }: InferenceView,
) {
  const found = new Map<string, Variable>();
  const add = (ref: TensorRef, variable: Variable) => {
    if (!found.has(refText(ref))) found.set(refText(ref), variable);
  };
  let sampled: SampledMoments | undefined;
  for (const { name, unfused, status } of batchNorms) {
    if (status.kind !== 'paired' || isKept(name) || !live.hasNamed(name)) continue;
    const { mean, variance, evidence } = status.statistics;
    if (!unfused) {
      add({ node: name, port: 1 }, mean);
      for (const ref of variancesOfFused(graph, name)) add(ref, variance);
      continue;
    }
    if (evidence.kind !== 'update op') {
      sampled ??= new SampledMoments(graph, shapes);
      const tensors = sampled.of(unfused);
      for (const ref of tensors.mean) add(ref, mean);
      for (const ref of tensors.variance) add(ref, variance);
      continue;
    }
    // If the graph itself averages, each tensor determines its variable.
    const isOwn = (ref: TensorRef, variable: Variable) =>
      updates.averages.get(refText(ref))?.some((average) => average.variable.node === variable.node);
    for (const ref of unfused.mean) if (isOwn(ref, mean)) add(ref, mean);
    for (const ref of unfused.variance) if (isOwn(ref, variance)) add(ref, variance);
  }
  return found;
}

/** The batch variance of a fused batch norm: output 2, and nodes that undo Bessel's correction (custom quantisation). */
export function variancesOfFused(graph: Graph, name: string): TensorRef[] {
  const variance = { node: name, port: 2 };
  const uncorrected = graph.consumers(variance).filter((node) => isBesselFactor(graph, node, name));
  return [variance, ...uncorrected.map((node) => ({ node: node.name, port: 0 }))];
}

const scales = anyOf('multiply', 'divide');
const countsElements = anyOf('shape_query');

/** Whether an op multiplies the variance by a factor of element counts: (n - 1) / n. */
function isBesselFactor(graph: Graph, node: Node, batchNorm: string): boolean {
  const factor = scales(node) ? node.inputs.find((ref) => ref.node !== batchNorm) : undefined;
  if (!factor) return false;
  const seen = new Set([factor.node]);
  for (const name of seen) {
    const at = graph.find(name);
    if (!at) continue;
    if (countsElements(at)) return true;
    if (isElementwise(at) || isSizeOp(at)) for (const ref of at.inputs) seen.add(ref.node);
  }
  return false;
}

const isSizeOp = anyOf('reduction', 'slice', 'gather');

function tensorsOfKept({ batchNorms, isKept }: Training): ReadonlySet<string> {
  const kept = batchNorms.filter(({ name }) => isKept(name));
  const refs = kept.flatMap(({ unfused }) => [...(unfused?.mean ?? []), ...(unfused?.variance ?? [])]);
  return new Set(refs.map(refText));
}

/** The only average of a tensor, which replaces it; undefined if it has none or several. */
function soleAverage(
  { graph, updates, variables, isKept }: Training,
  ref: TensorRef,
  keptTensors: ReadonlySet<string>,
): MovingAverage | undefined {
  const key = refText(ref);
  const [average, another] = updates.averages.get(key) ?? [];
  const node = graph.find(ref.node);
  if (!average || another || average.isCopy || !node) return undefined;
  if (keptTensors.has(key) || isKept(node.name) || isTrainingFused(node) || variables.readBy(ref)) return undefined;
  return average;
}

const reduces = anyOf('reduction');

/** Whether a tensor is computed by arithmetic from reductions over the batch. */
export function isMadeOfBatch(graph: Graph, shapes: Shapes, ref: TensorRef): boolean {
  const seen = new Set([ref.node]);
  for (const name of seen) {
    const node = graph.find(name);
    if (!node) continue;
    if (isTrainingFused(node)) return true;
    if (reduces(node)) {
      if (reducesBatch(graph, shapes, node)) return true;
    } else if (isElementwise(node)) {
      for (const input of node.inputs) seen.add(input.node);
    }
  }
  return false;
}

function replacedBy(
  { graph, updates }: Training,
  shapes: Shapes,
  tensor: TensorRef,
  variable: Variable,
): Replacement | undefined {
  const averages = updates.averages.get(refText(tensor)) ?? [];
  const shape = shapeInPlaceOf(graph, shapes, tensor, variable);
  // A directly averaged tensor has the variable's shape.
  const isDirect = averages.some((average) => average.variable.node === variable.node && average.isDirect);
  if (shape === 'unknown' && !isDirect) return undefined;
  return { tensor, by: { variable, shape: typeof shape === 'string' ? undefined : shape }, role: 'statistic' };
}

/** A tensor replaced by the variable that the user names. */
function inPlaceOf({ graph }: Training, shapes: Shapes, tensor: TensorRef, variable: Variable): Replacement {
  const shape = shapeInPlaceOf(graph, shapes, tensor, variable);
  return { tensor, by: { variable, shape: typeof shape === 'string' ? undefined : shape }, role: 'statistic' };
}
