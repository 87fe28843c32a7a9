import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { TensorValues } from '../run/value.js';
import { outputsOf, type Subject } from './subject.js';

/** What the graphs of a verification were run with, and what they output: by `name` of a placeholder, by `name:port`. */
export interface VerifiedValues {
  readonly inputs: TensorValues;
  /** Of the graph as it was saved; undefined if it cannot be run. */
  readonly before: TensorValues | undefined;
  /** Of the repaired graph; undefined if it cannot be run. */
  readonly after: TensorValues | undefined;
}

/** The values of a subject; they were computed for the proofs. */
export async function verifiedValues(subject: Subject): Promise<VerifiedValues> {
  const inputs = Object.fromEntries(subject.inputs.map(({ name, value }) => [name, value]));
  const valuesOf = async (graph: Graph) => {
    try {
      return await outputsOf(subject, graph);
    } catch (error) {
      if (error instanceof BnfixError && error.code === 'unsupported') return undefined;
      throw error;
    }
  };
  return { inputs, before: await valuesOf(subject.saved), after: await valuesOf(subject.repaired) };
}
