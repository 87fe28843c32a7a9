import { BnfixError } from '../errors.js';
import { attrShape, attrType } from '../graph/attrs.js';
import { DataType, dtypeName } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { type Node, type TensorRef, tensorName } from '../graph/node.js';
import { NodeSet } from '../graph/node_set.js';
import { elementCount } from '../graph/tensor.js';
import { anyOf } from '../ops/meaning.js';
import { generator } from '../run/random.js';
import { type TensorValue, tensorValue } from '../run/value.js';

/** How random inputs are drawn. */
export interface SampleOptions {
  readonly seed?: number;
  /** How many examples, where the graph does not say. Default: as many as are given; otherwise 4, or 2 if one is large. */
  readonly batch?: number;
  /** Bounds of float inputs, and of integers: `[from, to)`. */
  readonly range?: readonly [from: number, to: number];
  /** The shapes of placeholders. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
}

/** The value of a placeholder. */
export interface Sample {
  readonly name: string;
  readonly value: TensorValue;
  /** Whether the user gave it. */
  readonly isGiven: boolean;
  /** Whether the first axis is the batch: its size is open, or as large as those of the others. */
  readonly isBatched: boolean;
}

/** A placeholder. */
export interface GraphInput {
  readonly name: string;
  readonly dtype: string;
  /** Sizes, -1 for an open one; undefined for an unknown rank. */
  readonly shape: readonly number[] | undefined;
}

/** The placeholders of a graph. */
export function graphInputs(graph: Graph): GraphInput[] {
  return [...graph.nodes()].filter(isPlaceholder).map((node) => {
    const dtype = dtypeName(attrType(node, 'dtype') ?? DataType.DT_INVALID);
    return { name: node.name, dtype, shape: attrShape(node, 'shape') };
  });
}

/** A size that a placeholder leaves open, apart from the batch. */
const OPEN_SIZE = 32;
const DEFAULT_BATCH = 4;
/** Where an example is large. The fewest that show whether an example depends on others. */
const SMALL_BATCH = 2;
/** How many elements make an example large: more than a picture of 400 by 400. */
const LARGE_EXAMPLE = 500_000;
const isPlaceholder = anyOf('placeholder');
const hasDefault = anyOf('default_placeholder');

/**
 * Values for all placeholders that outputs need: those that are given, and random ones for the others.
 * @param others - the graph before it was repaired, whose other inputs may be given as well
 * @param computed - tensors (`name:port`) that have values already: what they are computed from needs none
 */
export function samples(
  graph: Graph,
  outputs: readonly TensorRef[],
  given: Readonly<Record<string, TensorValue>>,
  others: Graph,
  options: SampleOptions = {},
  computed: readonly string[] = [],
): Sample[] {
  const needed = feeding(graph, outputs, new Set(computed));
  const isGiven = (node: Node) => Object.keys(given).some((name) => plain(name) === node.name);
  const placeholders = [...graph.nodes()].filter(
    (node) => isPlaceholder(node) && needed.has(node) && (!hasOwnValue(node) || isGiven(node)),
  );
  for (const name of [...Object.keys(given), ...Object.keys(options.shapes ?? {})]) {
    // A label, or a flag: an input of the saved graph that the outputs do not need.
    if (placeholders.some((node) => node.name === plain(name)) || others.has(plain(name))) continue;
    throw new BnfixError('usage', `${name} is not an input of the graph`, {
      where: name,
      why: `its inputs are ${placeholders.map((node) => node.name).join(', ') || 'none'}`,
    });
  }
  const random = generator(options.seed ?? 1);
  const keys = new Map(Object.keys(given).map((name) => [plain(name), name]));
  const known = placeholders.flatMap((node) => given[keys.get(node.name) ?? ''] ?? []);
  const drawing = { ...options, batch: options.batch ?? defaultBatch(placeholders, known, options.shapes) };
  return placeholders.map((node) => {
    const key = keys.get(node.name);
    const value = key === undefined ? drawn(node, drawing, random) : given[key]!;
    const declared = attrShape(node, 'shape');
    const isBatched = value.shape.length > 0 && (declared?.length === 0 || (declared?.[0] ?? -1) !== 1);
    return { name: node.name, value, isGiven: key !== undefined, isBatched };
  });
}

/** Other random values of the same shapes and dtypes, within the bounds of the given ones. */
export function otherSamples(all: readonly Sample[], options: SampleOptions = {}): Sample[] {
  const random = generator((options.seed ?? 1) + 1);
  return all.map((sample) => {
    const { value } = sample;
    if (value.dtype === 'string') return sample;
    const numbers = Array.from(value.data as ArrayLike<number | bigint>, Number);
    // A permutation of what is there is as plausible as it.
    for (let i = numbers.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
    }
    return { ...sample, value: tensorValue(value.dtype, value.shape, numbers) };
  });
}

function feeding(graph: Graph, outputs: readonly TensorRef[], computed: ReadonlySet<string>): NodeSet {
  const found = new NodeSet(graph);
  const add = (ref: TensorRef) => {
    if (!computed.has(tensorName(ref))) found.add(graph.find(ref.node));
  };
  for (const ref of outputs) add(ref);
  for (const node of found) for (const ref of node.inputs) add(ref);
  return found;
}

/** Three letters. */
function wordOf(random: () => number): string {
  return Array.from({ length: 3 }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('');
}

/** Whether a placeholder has a number of its own: a keep_prob, or a size. */
function hasOwnValue(node: Node): boolean {
  return hasDefault(node) && attrShape(node, 'shape')?.length === 0;
}

const plain = (name: string) => name.replace(/:0$/, '');

/**
 * As many examples as are given, or as another input always has; otherwise a few, since what a net computes takes many times the
 * memory of its inputs.
 */
function defaultBatch(
  placeholders: readonly Node[],
  given: readonly TensorValue[],
  shapes: SampleOptions['shapes'] = {},
): number {
  const [rows] = firstSizes([...given.map(({ shape }) => shape), ...Object.values(shapes)]);
  if (rows !== undefined) return rows;
  const fixed = new Set(
    firstSizes(placeholders.map((node) => attrShape(node, 'shape') ?? [])).filter((size) => size > 1),
  );
  // One of 1 goes with any batch.
  if (fixed.size === 1) return [...fixed][0]!;
  const sizes = placeholders.map((node) => elementCount((attrShape(node, 'shape') ?? []).slice(1).map(openSize)));
  return Math.max(0, ...sizes) > LARGE_EXAMPLE ? SMALL_BATCH : DEFAULT_BATCH;
}

/** Of tensors that have more axes than one: a vector may be a table, or a flag. */
function firstSizes(shapes: readonly (readonly number[])[]): number[] {
  return shapes.flatMap((shape) => (shape.length > 1 ? shape.slice(0, 1) : []));
}

const openSize = (size: number) => (size >= 0 ? size : OPEN_SIZE);

function drawn(node: Node, options: SampleOptions, random: () => number): TensorValue {
  const { batch = DEFAULT_BATCH, range = [0, 1], shapes = {} } = options;
  const given = Object.entries(shapes).find(([name]) => plain(name) === node.name)?.[1];
  const declared = attrShape(node, 'shape');
  if (!given && !declared) {
    throw new BnfixError('usage', `the shape of the input ${node.name} is unknown`, {
      where: node.name,
      fix: { option: 'shapes', value: `${node.name}=4,224,224,3`, text: 'gives it' },
    });
  }
  const shape = given ?? declared!.map((size, axis) => (axis === 0 && size < 0 ? batch : openSize(size)));
  const dtype = attrType(node, 'dtype') ?? DataType.DT_FLOAT;
  const name = dtypeName(dtype);
  if (dtype === DataType.DT_STRING) {
    const words = Array.from({ length: elementCount(shape) }, () => new TextEncoder().encode(wordOf(random)));
    return tensorValue(name, shape, words);
  }
  const [from, to] = range;
  const isWhole = !/float|complex/.test(name);
  const count = elementCount(shape) * (name === 'complex64' ? 2 : 1);
  const next = () => {
    if (name === 'bool') return random() < 0.5 ? 0 : 1;
    const number = from + (to - from) * random();
    return isWhole ? Math.floor(number) : number;
  };
  return tensorValue(name, shape, Array.from({ length: count }, next));
}
