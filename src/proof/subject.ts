import { BnfixError } from '../errors.js';
import type { Analysis } from '../freezing/analysis.js';
import { type TensorRef, tensorName } from '../graph/node.js';
import type { Comparison, Tolerance } from './compare.js';
import type { Evaluated } from './evaluated.js';
import type { Layer } from './layers.js';
import type { Proof, ProofName } from './report.js';
import type { Unrunnable } from './runnable_part.js';
import type { Sample, SampleOptions } from './samples.js';
import type { Substitutions } from './substitution.js';
import type { TrainingGraph } from './training_graph.js';

/** What is proved, and with what. */
export interface Subject {
  readonly analysis: Analysis;
  /** The graph as it was saved: see `savedGraph`. */
  readonly saved: Evaluated;
  /** The saved graph as it is in training, if a flag switches its batch norms. */
  readonly training: { readonly graph: Evaluated; readonly flags: TrainingGraph['flags'] } | undefined;
  readonly repaired: Evaluated;
  /** What the repaired one has in place of tensors of the saved one. */
  readonly substitutions: Substitutions;
  /** Graphs to compare with the repaired one. */
  readonly folded: readonly Evaluated[];
  /** The batch norms that feed what is compared. */
  readonly layers: readonly Layer[];
  readonly inputs: readonly Sample[];
  /** What is compared: the outputs, or as far as the graph can be run. */
  readonly ends: readonly TensorRef[];
  /** The ops that are left out. */
  readonly without: readonly Unrunnable[];
  readonly tolerance: Tolerance;
  readonly sampling: SampleOptions;
  /** The element of batch norms to show; empty for the first. */
  readonly at: readonly number[];
}

/** The outputs of a subject, as `name:port`. */
export function outputNames({ ends }: Subject): string[] {
  return ends.map(tensorName);
}

/** The comparisons of outputs among those of other tensors. */
export function outputsAmong(compared: readonly Comparison[], names: readonly string[]): Comparison[] {
  const byName = new Map(compared.map((each) => [each.tensor, each]));
  return names.flatMap((name) => byName.get(name) ?? []);
}

/** A proof that was made. @param compared - the outputs, and what else was compared, in the order of computation */
export function proved(
  name: ProofName,
  outputs: readonly Comparison[],
  compared: readonly Comparison[] = outputs,
  rest: Partial<Pick<Proof, 'saved' | 'savedFlags' | 'unexplained'>> = {},
): Proof {
  const firstDifference = compared.find(({ isWithin }) => !isWithin);
  const isRight = !firstDifference && (rest.unexplained ?? []).length === 0;
  return { ...blank(name), status: isRight ? 'passed' : 'failed', outputs, ...rest, firstDifference };
}

/** A proof that cannot be made. */
export function skipped(name: ProofName, reason: NonNullable<Proof['reason']>): Proof {
  return { ...blank(name), reason };
}

function blank(name: ProofName): Proof {
  const nothing = {
    reason: undefined,
    savedFlags: undefined,
    layer: undefined,
    after: undefined,
    rewired: undefined,
    firstDifference: undefined,
  };
  return { name, status: 'skipped', outputs: [], saved: [], unexplained: [], ...nothing };
}

/** Makes a proof; what TensorFlow.js cannot run is a reason to skip it. */
export async function attempt(name: ProofName, make: () => Promise<Proof>): Promise<Proof> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof BnfixError) || error.code !== 'unsupported') throw error;
    const { message, where, why } = error;
    return skipped(name, { code: 'cannot_run', message, where, why });
  }
}

/** What the saved graph gives; undefined if TensorFlow.js cannot run it, though it may run the repaired one. */
export async function ifRunnable<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof BnfixError && error.code === 'unsupported') return undefined;
    throw error;
  }
}
