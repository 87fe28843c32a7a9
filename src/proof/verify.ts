import { checkOptions } from '../check_options.js';
import { analyse } from '../freezing/analyse.js';
import { apply } from '../freezing/apply.js';
import { FREEZE_OPTIONS, type FreezeOptions } from '../freezing/options.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import type { TensorValue } from '../run/value.js';
import { proveBatchIndependence } from './batch_independence.js';
import type { Tolerance } from './compare.js';
import { findLayers } from './layers.js';
import { proveFolding } from './prove_folding.js';
import { proveStatistics } from './prove_statistics.js';
import { proveSubstitution } from './prove_substitution.js';
import type { VerifyReport } from './report.js';
import { runnablePart } from './runnable_part.js';
import { type Sample, type SampleOptions, samples } from './samples.js';
import { savedGraph } from './saved_graph.js';
import { attempt, type Subject, tensorName } from './subject.js';
import { defaultTolerance } from './tolerance.js';

/** What a repaired graph is proved with. */
export interface VerifyOptions extends SampleOptions {
  /** Values of placeholders, by name; those without one are random. */
  readonly values?: Readonly<Record<string, TensorValue>>;
  /** The repaired graph, with the names of the saved one; default: the model is repaired in memory. */
  readonly repaired?: Graph;
  /** A folded graph, to compare with the repaired one. */
  readonly folded?: Graph;
  readonly atol?: number;
  readonly rtol?: number;
}

/**
 * Proves that a repaired graph computes what it has to, by running it beside the saved one.
 *
 * @throws BnfixError like `freeze`; a proof that fails, or cannot be made, is part of the report
 */
export async function verify(
  model: Model,
  freezeOptions: FreezeOptions = {},
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const { values = {}, folded } = options;
  checkOptions('verify', freezeOptions, FREEZE_OPTIONS);
  const analysis = analyse(model, freezeOptions);
  const repaired = options.repaired ?? apply(analysis).graph;
  const saved = savedGraph(analysis);
  const { atol, rtol } = { ...defaultTolerance(saved), ...definedOf(options) };
  const all = findLayers(saved, analysis.batchNorms);
  const inputsOf = (ends: readonly TensorRef[], given: readonly Sample[]) => {
    const names = given.map(({ name }) => name);
    return [...samples(repaired, ends, values, model.graph, options, names), ...given];
  };
  const wanted = all.map(({ y }) => y.node);
  const { ends, given, without } = await runnablePart(repaired, analysis.outputs.refs, wanted, inputsOf);
  const inputs = inputsOf(ends, given);
  const subject: Subject = { analysis, saved, repaired, inputs, ends, tolerance: { atol, rtol }, sampling: options };
  const reached = ancestors(
    saved,
    ends.map(({ node }) => node),
    false,
  );
  const layers = all.filter(({ y }) => reached.hasNamed(y.node));
  const proofs = [
    await attempt('batch_independence', () => proveBatchIndependence(subject)),
    await attempt('substitution', () => proveSubstitution(subject, layers)),
  ];
  const { proof, reports } = await proveStatistics(subject, layers);
  proofs.push(proof);
  const tensors = layers.map(({ y }) => tensorName(y));
  if (folded) proofs.push(await attempt('folding', () => proveFolding(subject, folded, tensors)));
  return {
    inputs: inputs.map(({ name, value: { dtype, shape }, isGiven }) => ({ name, dtype, shape, isRandom: !isGiven })),
    outputs: ends.map(tensorName),
    without,
    tolerance: { atol, rtol },
    proofs,
    layers: reports,
    passed: proofs.every(({ status }) => status !== 'failed') && proofs.some(({ status }) => status === 'passed'),
  };
}

function definedOf({ atol, rtol }: VerifyOptions): Partial<Tolerance> {
  return { ...(atol !== undefined && { atol }), ...(rtol !== undefined && { rtol }) };
}
