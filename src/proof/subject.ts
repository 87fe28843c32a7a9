import { BnfixError } from '../errors.js';
import type { Analysis } from '../freezing/analysis.js';
import type { Graph } from '../graph/graph.js';
import { parseInput, type TensorRef, tensorName } from '../graph/node.js';
import { runGraph } from '../run/run.js';
import type { TensorValues } from '../run/value.js';
import type { Comparison, Tolerance } from './compare.js';
import type { Layer } from './layers.js';
import type { Proof, ProofName } from './report.js';
import type { Unrunnable } from './runnable_part.js';
import type { Sample, SampleOptions } from './samples.js';

/** What is proved, and with what. */
export interface Subject {
  readonly analysis: Analysis;
  /** The graph as it was saved: see `savedGraph`. */
  readonly saved: Graph;
  readonly repaired: Graph;
  /** Graphs to compare with the repaired one. */
  readonly folded: readonly Graph[];
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

/** Runs a graph on inputs; those that it does not need are left out. */
export async function runOn(
  graph: Graph,
  inputs: readonly Sample[],
  tensors: readonly string[],
): Promise<TensorValues> {
  const feeds = inputs.filter(({ name }) => graph.has(parseInput(name).node)).map(({ name, value }) => [name, value]);
  return runGraph(graph, Object.fromEntries(feeds), [...new Set(tensors)]);
}

const outputs = new WeakMap<Graph, Promise<TensorValues>>();

/** What a graph of a subject outputs on its inputs: several proofs need it, and it is run once. */
export function outputsOf(subject: Subject, graph: Graph): Promise<TensorValues> {
  const known = outputs.get(graph) ?? runOn(graph, subject.inputs, outputNames(subject));
  outputs.set(graph, known);
  return known;
}

/** The outputs of a subject, as `name:port`. */
export function outputNames({ ends }: Subject): string[] {
  return ends.map(tensorName);
}

/** A proof that was made. */
export function proved(name: ProofName, outputs: readonly Comparison[], rest: Partial<Proof> = {}): Proof {
  const { firstDifference = outputs.find(({ isWithin }) => !isWithin), unexplained = [] } = rest;
  const isRight = outputs.every(({ isWithin }) => isWithin) && !firstDifference && unexplained.length === 0;
  const status = isRight ? 'passed' : 'failed';
  return { ...blank(name), status, outputs, ...rest, firstDifference };
}

/** A proof that cannot be made. */
export function skipped(name: ProofName, reason: NonNullable<Proof['reason']>): Proof {
  return { ...blank(name), reason };
}

function blank(name: ProofName): Proof {
  const nothing = { reason: undefined, outputs: [], saved: [], firstDifference: undefined, unexplained: [] };
  return { name, status: 'skipped', ...nothing };
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
