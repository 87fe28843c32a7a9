import { findActivations } from '../analysis/training/activations.js';
import { Shapes } from '../analysis/values/shapes.js';
import { BnfixError } from '../errors.js';
import { DataType, dtypeName } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { type Node, type TensorRef, tensorName } from '../graph/node.js';
import { elementCount } from '../graph/tensor.js';
import { ancestors, descendants } from '../graph/walk.js';
import { outputTypeOrT } from '../ops/registry.js';
import { isMisfit } from '../run/failure.js';
import { tensorValue } from '../run/value.js';
import type { Evaluated } from './evaluated.js';
import type { Sample } from './samples.js';

/** An op that TensorFlow.js cannot run. */
export interface Unrunnable {
  readonly node: string;
  readonly op: string;
}

/** The part of a graph that is run: what feeds `ends`, from the placeholders or from tensors that are given values. */
interface Part {
  readonly ends: readonly TensorRef[];
  /** Random values in place of tensors that cannot be computed, by `name:port`. */
  readonly given: readonly Sample[];
  readonly without: readonly Unrunnable[];
}

/** A part that can be run, with its values. */
export interface RunnablePart extends Part {
  readonly evaluated: Evaluated;
}

/** A graph with the inputs that some of its tensors need. */
type Evaluate = (ends: readonly TensorRef[], given: readonly Sample[]) => Evaluated;

/** How many ops are cut out before nothing is run. */
const MAX_CUTS = 16;

/**
 * The largest part of a graph that can be run with the inputs: all of it, or what comes before the ops that cannot be run; if none of
 * `wanted` is there, what comes after them.
 * @param wanted - nodes of interest: the batch norms
 */
export async function runnablePart(
  graph: Graph,
  outputs: readonly TensorRef[],
  wanted: readonly string[],
  evaluate: Evaluate,
): Promise<RunnablePart> {
  let part: Part = { ends: outputs, given: [], without: [] };
  for (let cuts = 0; ; cuts++) {
    const evaluated = evaluate(part.ends, part.given);
    const failing = cuts < MAX_CUTS ? await firstUnrunnable(evaluated) : undefined;
    // Of what depends on it, no shape is known: it cannot be cut out.
    const isKnown = part.without.some(({ node }) => node === failing?.name);
    if (!failing || isKnown) return { ...part, evaluated };
    evaluated.close();
    const without = [...part.without, { node: failing.name, op: failing.op }];
    const before = endsBefore(graph, part.ends, failing);
    const isOfInterest = before.length > 0 && hasAny(graph, before, wanted);
    part = isOfInterest
      ? { ...part, ends: before, without }
      : { ...part, given: givenAfter(graph, part, failing), without };
  }
}

async function firstUnrunnable(evaluated: Evaluated): Promise<Node | undefined> {
  try {
    await evaluated.outputs();
    return undefined;
  } catch (error) {
    if (isMisfit(error)) throw misfit(error as BnfixError, evaluated.inputs);
    const isOp = error instanceof BnfixError && error.code === 'unsupported' && error.where !== undefined;
    const node = isOp ? evaluated.graph.find(error.where!) : undefined;
    if (!node) throw error;
    return node;
  }
}

/** Sizes that are open in the graph may depend on each other: what cannot be run with these inputs is not left out of the proofs. */
function misfit({ message, where, whyLines }: BnfixError, inputs: readonly Sample[]): BnfixError {
  const shapes = inputs.filter(({ isGiven, value }) => !isGiven && value.shape.length > 0);
  return new BnfixError('usage', message, {
    where,
    why: [...whyLines, 'the shapes of the inputs may not fit together'],
    fix: shapes.map(({ name, value }, i) => ({
      option: 'shapes',
      value: `${name}=${value.shape}`,
      text: i === 0 ? 'gives an input another shape: this is the one that did not fit' : '',
    })),
  });
}

/** Where the data goes into a node and all that depends on it, and the outputs that do not depend on it. */
function endsBefore(graph: Graph, outputs: readonly TensorRef[], failing: Node): TensorRef[] {
  const gone = descendants(graph, [failing.name]);
  const data = findActivations(graph);
  const feeding = ancestors(
    graph,
    outputs.map(({ node }) => node),
    false,
  );
  const ends = new Map<string, TensorRef>();
  for (const ref of outputs) if (!gone.hasNamed(ref.node)) ends.set(tensorName(ref), ref);
  for (const node of gone) {
    if (!feeding.has(node)) continue;
    for (const ref of node.inputs) {
      if (!gone.hasNamed(ref.node) && data.hasNamed(ref.node) && isNumeric(graph, ref)) ends.set(tensorName(ref), ref);
    }
  }
  return [...ends.values()];
}

function hasAny(graph: Graph, ends: readonly TensorRef[], wanted: readonly string[]): boolean {
  const feeding = ancestors(
    graph,
    ends.map(({ node }) => node),
    false,
  );
  return wanted.some((name) => feeding.hasNamed(name));
}

/** Values in place of the first tensors of numbers, of known rank, that depend on a node. */
function givenAfter(graph: Graph, { given }: Part, failing: Node): Sample[] {
  const shapes = new Shapes(graph);
  const found = new Map(given.map((sample) => [sample.name, sample]));
  const shapeOf = (ref: TensorRef) => (isNumeric(graph, ref) ? shapes.of(ref) : undefined);
  const reached = descendants(graph, [failing.name], ({ name }) => !shapeOf({ node: name, port: 0 }));
  for (const { name } of reached) {
    for (const port of graph.usedPorts(name)) {
      const ref = { node: name, port };
      const shape = shapeOf(ref)?.map((size, axis) => (size >= 0 ? size : axis === 0 ? 4 : 1));
      if (!shape) continue;
      const dtype = dtypeName(dtypeAt(graph, ref));
      const numbers = Array.from({ length: elementCount(shape) }, (_, i) => (/float/.test(dtype) ? (i % 7) / 7 : 0));
      const value = tensorValue(dtype, shape, numbers);
      found.set(tensorName(ref), { name: tensorName(ref), value, isGiven: false, isBatched: shape.length > 0 });
    }
  }
  return [...found.values()];
}

function isNumeric(graph: Graph, ref: TensorRef): boolean {
  const dtype = dtypeAt(graph, ref);
  return dtype !== DataType.DT_INVALID && dtype !== DataType.DT_STRING && dtype !== DataType.DT_RESOURCE;
}

function dtypeAt(graph: Graph, ref: TensorRef): DataType {
  return outputTypeOrT(graph.get(ref.node), ref.port);
}
