import type { TensorValues } from '../run/value.js';
import type { Evaluated } from './evaluated.js';
import { ifRunnable, type Subject } from './subject.js';

/** What the graphs of a verification were run with, and what they output: by `name` of a placeholder, by `name:port`. */
export interface VerifiedValues {
  readonly inputs: TensorValues;
  /** Of the graph as it was saved; undefined if it cannot be run. */
  readonly before: TensorValues | undefined;
  /** Of the repaired graph; undefined if it cannot be run. */
  readonly after: TensorValues | undefined;
  /** Of the folded graph; undefined if there is none, or it cannot be run. */
  readonly folded: TensorValues | undefined;
}

/** The values of a subject; they were computed for the proofs. */
export async function verifiedValues(subject: Subject): Promise<VerifiedValues> {
  const inputs = Object.fromEntries(subject.inputs.map(({ name, value }) => [name, value]));
  const { saved, repaired, folded } = subject;
  return {
    inputs,
    before: await valuesOf(saved),
    after: await valuesOf(repaired),
    folded: await valuesOf(folded.at(-1)),
  };
}

async function valuesOf(graph: Evaluated | undefined): Promise<TensorValues | undefined> {
  return graph && ifRunnable(() => graph.outputs());
}
