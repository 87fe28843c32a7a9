import { findActivations } from '../analysis/training/activations.js';
import { BnfixError } from '../errors.js';
import { isFloat } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { type Node, parseTensorName, type TensorRef, tensorName } from '../graph/node.js';
import { ancestors, topologicalOrder } from '../graph/walk.js';
import { Frames } from '../ops/frames.js';
import { anyOf } from '../ops/meaning.js';
import { outputTypeOrT } from '../ops/registry.js';
import type { TensorValue } from '../run/value.js';
import type { Comparison, Tolerance } from './compare.js';
import { compareGraphs } from './compare_graphs.js';
import { counterpartOf } from './counterparts.js';
import { Evaluated } from './evaluated.js';
import { LayerParts } from './layer_parts.js';
import type { Proof } from './report.js';
import type { Sample } from './samples.js';
import type { Subject } from './subject.js';

/** A graph with values of its inputs. */
export interface Run {
  readonly graph: Graph;
  readonly inputs: readonly Sample[];
}

const isControlFlow = anyOf('switch', 'merge', 'enter', 'exit', 'next_iteration', 'if', 'while');

/** What is compared to find where graphs begin to differ. */
export interface Search {
  /** The part of a value that is compared; undefined for a value that is not. */
  readonly view?: (value: TensorValue) => TensorValue | undefined;
  /** Tensors that have to be equal, as `name:port`; all that both graphs have if undefined. */
  readonly among?: ReadonlySet<string>;
}

/**
 * A proof that failed, with the place where its graphs begin to differ: not only outputs are compared, but all tensors before the first
 * one that differs.
 */
export async function withOrigin(
  proof: Proof,
  subject: Subject,
  runs: readonly [actual: Run, expected: Run],
  search: Search = {},
): Promise<Proof> {
  const { firstDifference } = proof;
  const first = firstDifference && ((await firstOf(firstDifference, subject, runs, search)) ?? firstDifference);
  return withLayer({ ...proof, firstDifference: first }, subject, runs[0].graph, runs[1].graph);
}

/** A proof that failed, with the batch norm at its first difference. */
function withLayer(proof: Proof, { layers, saved }: Subject, actual: Graph, expected: Graph): Proof {
  if (proof.status !== 'failed') return proof;
  const { firstDifference, unexplained } = proof;
  const parts = new LayerParts(layers, saved.graph, [actual, expected]);
  if (!firstDifference) return { ...proof, layer: parts.of(unexplained[0]!.replace(/, input \d+$/, '')) };
  const { node } = parseTensorName(firstDifference.tensor);
  const rewired = rewiredInput(node, actual, expected);
  const layer = parts.of(node) ?? (rewired && parts.of(parseTensorName(rewired.insteadOf).node));
  return { ...proof, layer, after: layer === undefined ? lastBefore(node, actual, parts) : undefined, rewired };
}

/** The nearest batch norm that feeds a node. */
function lastBefore(node: string, graph: Graph, parts: LayerParts): string | undefined {
  for (const { name } of ancestors(graph, [node], false)) {
    const layer = parts.of(name);
    if (layer !== undefined) return layer;
  }
  return undefined;
}

async function firstOf(
  found: Comparison,
  { tolerance, saved }: Subject,
  [actual, expected]: readonly [actual: Run, expected: Run],
  { among, view }: Search,
): Promise<Comparison | undefined> {
  const at = counterpartOf(saved.graph, parseTensorName(found.tensor), actual.graph);
  if (!at || !expected.graph.has(at.node)) return undefined;
  const names = tensorsBefore(at, actual.graph, expected.graph).filter((name) => !among || among.has(name));
  const compared = await comparedRuns([actual, expected], names, tolerance, view);
  const different = new Map(compared.filter(({ isWithin }) => !isWithin).map((each) => [each.tensor, each]));
  return names.flatMap((name) => different.get(name) ?? [])[0];
}

/** The tensors before another one that are equal in two graphs. */
export async function equalTensors(
  { ends, tolerance }: Subject,
  [actual, expected]: readonly [actual: Run, expected: Run],
): Promise<Set<string>> {
  const names = new Set(ends.flatMap((end) => tensorsBefore(end, actual.graph, expected.graph)));
  const compared = await comparedRuns([actual, expected], [...names], tolerance);
  return new Set(compared.filter(({ isWithin }) => isWithin).map(({ tensor }) => tensor));
}

/** Compares tensors of two graphs; empty if one of them cannot be read: in a branch that is not taken, say. */
async function comparedRuns(
  graphs: readonly [actual: Run, expected: Run],
  names: readonly string[],
  tolerance: Tolerance,
  view?: Search['view'],
): Promise<Comparison[]> {
  const [actual, expected] = graphs.map(({ graph, inputs }) => new Evaluated(graph, inputs, names, []));
  try {
    return await compareGraphs(actual!, expected!, names, tolerance, view);
  } catch (error) {
    if (error instanceof BnfixError && error.code === 'unsupported') return [];
    throw error;
  } finally {
    actual!.close();
    expected!.close();
  }
}

/** What both graphs compute before a tensor, and the tensor, in the order of computation. */
function tensorsBefore(end: TensorRef, actual: Graph, expected: Graph): string[] {
  const frames = new Frames(actual);
  const feeding = ancestors(actual, [end.node], false);
  const isRead = (node: Node) =>
    feeding.has(node) &&
    expected.has(node.name) &&
    frames.of(node.name).length === 0 &&
    !isControlFlow(node) &&
    isFloat(outputTypeOrT(node, 0));
  const names = topologicalOrder(actual)
    .filter(isRead)
    .map(({ name }) => tensorName({ node: name, port: 0 }));
  return names.includes(tensorName(end)) ? names : [...names, tensorName(end)];
}

/** The activation that a node reads in one graph instead of another. */
function rewiredInput(name: string, actual: Graph, expected: Graph): Proof['rewired'] {
  const [node, other] = [actual.find(name), expected.find(name)];
  const activations = findActivations(actual);
  for (const [index, ref] of node?.inputs.entries() ?? []) {
    const wanted = other?.inputs[index];
    if (!wanted || tensorName(wanted) === tensorName(ref)) continue;
    if (activations.hasNamed(ref.node) && actual.has(wanted.node)) {
      return { reads: tensorName(ref), insteadOf: tensorName(wanted) };
    }
  }
  return undefined;
}
