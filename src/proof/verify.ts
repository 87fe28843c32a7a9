import { checkOptions, type OptionKinds } from '../check_options.js';
import { analyse } from '../freezing/analyse.js';
import { apply } from '../freezing/apply.js';
import { fold } from '../freezing/fold.js';
import { FREEZE_OPTIONS, type FreezeOptions, freezeOptionsOf } from '../freezing/options.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import { type TensorRef, tensorName } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import type { TensorValues } from '../run/value.js';
import { proveBatchIndependence } from './batch_independence.js';
import type { Tolerance } from './compare.js';
import { counterpartOf } from './counterparts.js';
import { Evaluated } from './evaluated.js';
import { findLayers, haveSameNodes, isFolded, type Layer } from './layers.js';
import { withPinnedRandomOps } from './pinned_random.js';
import { proveFolding } from './prove_folding.js';
import { proveStatistics } from './prove_statistics.js';
import { proveSubstitution } from './prove_substitution.js';
import type { Proof, VerifyReport } from './report.js';
import { runnablePart } from './runnable_part.js';
import { type GraphInput, graphInputs, type Sample, type SampleOptions, samples } from './samples.js';
import { savedGraph } from './saved_graph.js';
import { attempt, type Subject } from './subject.js';
import { Substitutions } from './substitution.js';
import { defaultTolerance } from './tolerance.js';
import { trainingGraph } from './training_graph.js';
import { type VerifiedValues, verifiedValues } from './verified_values.js';

/** Options of {@link verify}: those of `freeze`, and what the graphs are run with. */
export interface VerifyOptions extends FreezeOptions, SampleOptions {
  /** Values of placeholders, by name, or a function that gives them for the inputs of the repaired graph; the others are random. */
  readonly values?: TensorValues | ((inputs: readonly GraphInput[]) => TensorValues);
  /** Called after each proof. @param done - how many are done */
  readonly onProgress?: (done: number) => void;
  /** Called at the end, with what the graphs were run with and what they output. */
  readonly onValues?: (values: VerifiedValues) => void;
  /**
   * The graph to verify, repaired or folded, with the names of the saved one. Default: the model is repaired in memory. With a folded
   * one, that repaired graph is verified, and the folded one compared with it.
   */
  readonly fixed?: Graph;
  /** A folded graph, to compare with the repaired one as well. */
  readonly folded?: Graph;
  /** The element of the batch norms' inputs and outputs to report, by its index in each dimension. Default: the first. */
  readonly at?: readonly number[];
  /** How far values may differ, absolutely. Default: 1e-6, with float16 2e-3, with bfloat16 2e-2. */
  readonly atol?: number;
  /** How far values may differ, relative to the largest one. Default: 1e-4, with float16 5e-3, with bfloat16 5e-2; more in deep nets. */
  readonly rtol?: number;
}

const VERIFY_OPTIONS: OptionKinds<VerifyOptions> = {
  ...FREEZE_OPTIONS,
  seed: 'number',
  batch: 'number',
  range: 'numbers',
  shapes: 'record',
  values: 'any',
  onProgress: 'any',
  onValues: 'any',
  fixed: 'record',
  folded: 'record',
  at: 'numbers',
  atol: 'number',
  rtol: 'number',
};

/**
 * Proves that a repaired graph computes what it has to, by running it beside the saved one:
 * 1. *batch independence*: an example outputs the same whatever the rest of its batch is;
 * 2. *substitution*: with the batch statistics of the saved graph in place of its constants, it outputs what the saved graph does: nothing
 *    but statistics was changed;
 * 3. *statistics*: each batch norm computes (x - mean) / sqrt(variance + epsilon) * scale + offset with the values of the checkpoint;
 * 4. *folding*: the folded graph outputs the same.
 *
 * @returns a proof that fails is part of the report, as is the reason why one could not be made
 * @throws BnfixError like `freeze`; `usage` when an input has no value and no shape from which to draw one
 * @example
 * import { fold, load, verify } from 'bnfix';
 * const model = await load('model.meta');
 * const { passed, proofs } = await verify(model, { folded: fold(model).graph });
 * [passed, proofs.map(({ status }) => status).join()]; // [true, 'passed,passed,passed,passed']
 * model.close();
 */
export async function verify(model: Model, options: VerifyOptions = {}): Promise<VerifyReport> {
  checkOptions('verify', options, VERIFY_OPTIONS);
  const subject = await subjectOf(model, options);
  try {
    const report = await provedAll(subject, options.onProgress);
    if (options.onValues) options.onValues(await verifiedValues(subject));
    return report;
  } finally {
    const { saved, training, repaired, folded } = subject;
    for (const graph of [saved, training?.graph, repaired, ...folded]) graph?.close();
  }
}

async function provedAll(subject: Subject, onProgress: VerifyOptions['onProgress']): Promise<VerifyReport> {
  const proofs: Proof[] = [];
  const add = (proof: Proof) => {
    proofs.push(proof);
    onProgress?.(proofs.length);
  };
  add(await attempt('batch_independence', () => proveBatchIndependence(subject)));
  add(await attempt('substitution', () => proveSubstitution(subject)));
  const { proof, reports } = await proveStatistics(subject);
  add(proof);
  for (const folded of subject.folded) add(await attempt('folding', () => proveFolding(subject, folded)));
  const { inputs, ends, without, tolerance } = subject;
  return {
    inputs: inputs.map(({ name, value: { dtype, shape }, isGiven }) => ({ name, dtype, shape, isRandom: !isGiven })),
    outputs: ends.map(tensorName),
    without,
    tolerance,
    proofs,
    layers: reports,
    // A folded graph that equals one of which nothing is known proves nothing.
    passed:
      proofs.every(({ status }) => status !== 'failed') &&
      proofs.some(({ name, status }) => name !== 'folding' && status === 'passed'),
  };
}

/** The graphs to compare, and what they are run with. */
async function subjectOf(model: Model, options: VerifyOptions): Promise<Subject> {
  // Outputs are compared under the names that they have in the model.
  const { outputNames: _, ...freezeOptions } = freezeOptionsOf(options);
  const analysis = analyse(model, freezeOptions);
  // First: a model that cannot be repaired is refused.
  const own = apply(analysis).graph;
  const saved = withPinnedRandomOps(savedGraph(analysis));
  const all = findLayers(saved, analysis);
  const { fixed } = options;
  const isFixedFolded = fixed !== undefined && isFoldOf(fixed, own, all, () => fold(model, freezeOptions).graph);
  const repaired = withPinnedRandomOps(isFixedFolded ? own : (fixed ?? own));
  const folded = [isFixedFolded ? fixed : undefined, options.folded].flatMap((graph) => graph ?? []);
  const { values = {} } = options;
  const given = typeof values === 'function' ? values(graphInputs(repaired)) : values;
  const inputsOf = (ends: readonly TensorRef[], computed: readonly Sample[]) => {
    const names = computed.map(({ name }) => name);
    return [...samples(repaired, ends, given, model.graph, options, names), ...computed];
  };
  const evaluated = (graph: Graph, inputs: readonly Sample[], ends: readonly TensorRef[], more: readonly TensorRef[]) =>
    new Evaluated(graph, inputs, ends.map(tensorName), more.map(tensorName));
  const part = await runnablePart(
    repaired,
    analysis.outputs.refs,
    all.map(({ y }) => y.node),
    (ends, computed) =>
      evaluated(repaired, inputsOf(ends, computed), ends, aroundLayersIn(repaired, saved, reaching(saved, all, ends))),
  );
  const { ends, without } = part;
  const inputs = inputsOf(ends, part.given);
  const layers = reaching(saved, all, ends);
  const replaced = analysis.plan.replacements.map(({ tensor }) => tensor);
  // Adds ops to the saved graph: before it is loaded.
  const substitutions = new Substitutions(saved, repaired, ends, replaced);
  const training = trainingGraph(analysis);
  return {
    analysis,
    saved: evaluated(saved, inputs, ends, [...aroundLayers(layers), ...substitutions.tensors]),
    training: training && {
      graph: evaluated(withPinnedRandomOps(training.graph), inputs, ends, []),
      flags: training.flags,
    },
    repaired: part.evaluated,
    folded: folded.map((graph) => evaluated(withPinnedRandomOps(graph), inputs, ends, aroundLayers(layers))),
    substitutions,
    layers,
    inputs,
    ends,
    without,
    tolerance: { ...defaultTolerance(saved), ...definedOf(options) },
    sampling: options,
    at: options.at ?? [],
  };
}

/** Whether a graph is folded: ops of batch norms are missing, or it has the nodes of a fold, which may change other ops alone. */
function isFoldOf(fixed: Graph, own: Graph, layers: readonly Layer[], folded: () => Graph): boolean {
  return isFolded(fixed, own, layers) || (!haveSameNodes(fixed, own) && haveSameNodes(fixed, folded()));
}

/** The layers that feed some tensors. */
function reaching(saved: Graph, layers: readonly Layer[], ends: readonly TensorRef[]): Layer[] {
  const names = ends.map(({ node }) => node);
  const feeding = ancestors(saved, names, false);
  return layers.filter(({ y }) => feeding.hasNamed(y.node));
}

function aroundLayers(layers: readonly Layer[]): TensorRef[] {
  return layers.flatMap(({ x, y }) => [x, y]);
}

/** The tensors of another graph that are around layers. */
function aroundLayersIn(other: Graph, saved: Graph, layers: readonly Layer[]): TensorRef[] {
  return aroundLayers(layers).flatMap((ref) => counterpartOf(saved, ref, other) ?? []);
}

function definedOf({ atol, rtol }: VerifyOptions): Partial<Tolerance> {
  return { ...(atol !== undefined && { atol }), ...(rtol !== undefined && { rtol }) };
}
