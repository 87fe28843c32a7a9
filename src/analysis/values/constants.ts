import { attrBool, attrString, attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { memoizeByVersion } from '../../graph/memo.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { isInteger, roundTo } from '../../graph/rounding.js';
import { elementCount, readNumbers } from '../../graph/tensor.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, isIdentity, isShapeQuery, MAX_ARGUMENTS, meaningOf, type OpRow } from '../../ops/meaning.js';
import { queriedShape } from '../../ops/queried_shape.js';
import { broadcastShape } from '../../ops/shape_rules/elementwise.js';
import { type ConstantInput, type ConstantValue, MAX_ELEMENTS } from '../../ops/value_rules.js';

export type { ConstantValue } from '../../ops/value_rules.js';

/** Given values, by node: pinned flags. */
export type Pins = ReadonlyMap<string, number>;

/** How many elements of larger values are kept for a graph, plus so many per node. */
const [ELEMENTS, ELEMENTS_PER_NODE] = [2 ** 21, 64];

/**
 * Values of tensors by `name:port`; undefined for unknown ones. A shape may claim thousands of elements for a constant of one
 * number: once many of those are known, further ones count as weights, and are unknown.
 */
export class Known {
  readonly #values = new Map<string, ConstantValue | undefined>();
  #room: number;

  constructor(graph: Graph) {
    this.#room = ELEMENTS + ELEMENTS_PER_NODE * graph.size;
  }

  /** Whether it is known that a tensor has a value, or that it has none. */
  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** The value of a tensor. */
  get(key: string): ConstantValue | undefined {
    return this.#values.get(key);
  }

  /** Whether no more large values are kept. */
  get isFull(): boolean {
    return this.#room < 0;
  }

  /** Keeps the value of a tensor. */
  set(key: string, value: ConstantValue | undefined): void {
    const size = value?.values.length ?? 0;
    if (size > ELEMENTS_PER_NODE) this.#room -= size;
    this.#values.set(key, this.#room < 0 && size > ELEMENTS_PER_NODE ? undefined : value);
  }
}

/** Without pins, results are cached until the graph changes. */
const unpinned = memoizeByVersion(
  (graph: Graph) => new Known(graph),
  (graph) => graph,
);

/**
 * The value of a tensor as far as constants determine it: shapes, axes, flags. Elements that are known only at run
 * time are NaN; undefined if nothing is known.
 */
export function constantValue(graph: Graph, ref: TensorRef, pins?: Pins): ConstantValue | undefined {
  return workedOut(graph, ref, pins ? pinned(graph, pins) : unpinned(graph));
}

/** The values that pins give. */
export function pinned(graph: Graph, pins: Pins): Known {
  const known = new Known(graph);
  for (const [node, value] of pins) known.set(node, { shape: [], values: [value] });
  return known;
}

/** The value of a tensor. Evaluates inputs before their consumers, without recursion, so that deep nets do not overflow the stack. */
export function workedOut(graph: Graph, ref: TensorRef, known: Known): ConstantValue | undefined {
  const stack = [ref];
  const opened = new Set<string>();
  for (let at = stack.at(-1); at; at = stack.at(-1)) {
    const key = refText(at);
    const node = known.has(key) ? undefined : graph.find(at.node);
    const waitsFor = node && !opened.has(key) ? node.inputs.filter((input) => !known.has(refText(input))) : [];
    opened.add(key);
    if (waitsFor.length > 0 && canCompute(node!)) {
      // A node that is already being evaluated depends on itself: a cycle has no value.
      for (const input of waitsFor) if (!opened.has(refText(input))) stack.push(input);
      if (stack.at(-1) !== at) continue;
    }
    if (!known.has(key)) {
      const isWeight = known.isFull && (node?.tensor?.byteLength ?? 0) > 8 * ELEMENTS_PER_NODE;
      const input = (index: number) => node?.inputs[index] && known.get(refText(node.inputs[index]));
      known.set(key, node && !isWeight ? compute(graph, node, at.port, input) : undefined);
    }
    stack.pop();
  }
  return known.get(refText(ref));
}

/** A constant behind a Switch or an Enter is the same constant. */
const forwards = anyOf('identity', 'enter', 'switch', 'read');
const isIdentityN = anyOf('identity_n');
const isConstant = anyOf('constant');
const isCast = anyOf('cast');
const isBias = anyOf('bias');

/** Whether the value of an op may follow from the values of its inputs. */
export function canCompute(node: Node): boolean {
  const meaning = meaningOf(node.op);
  const isComputed = meaning?.scalar !== undefined || meaning?.value !== undefined;
  return isComputed || forwards(node) || isCast(node) || isIdentityN(node);
}

/** The value of output `port` of a node, from those of its inputs. */
export function compute(graph: Graph, node: Node, port: number, input: ConstantInput): ConstantValue | undefined {
  if (isConstant(node)) return ofConst(node);
  if (forwards(node)) return input(0);
  if (isIdentityN(node)) return input(port);
  if (isCast(node)) return cast(node, input(0));
  if (isShapeQuery(node)) return shapeOfConst(graph, node);
  const meaning = meaningOf(node.op);
  return meaning?.scalar ? elementwise(node, input, meaning) : meaning?.value?.(node, input, port);
}

/** Elementwise with broadcasting; an unknown input may not matter: `false && x`. */
function elementwise(node: Node, input: ConstantInput, { scalar, steps }: OpRow): ConstantValue | undefined {
  if (node.inputs.length > MAX_ARGUMENTS) return undefined;
  const inputs = node.inputs.map((_, i) => input(i));
  const known = inputs.filter((value) => value !== undefined);
  const shape = commonShape(node, known);
  if (!shape) return undefined;
  const type = attrType(node, 'T');
  const round = roundTo(type);
  const read = inputs.map((value) => (value ? elementsIn(value, shape, round) : () => Number.NaN));
  const count = elementCount(shape);
  const values = new Array<number>(count);
  for (let i = 0; i < count; i++) {
    const x = read.map((at) => at(i));
    values[i] = round(steps ? steps(round, ...x) : scalar!(...x));
  }
  if (known.length < inputs.length && (values.some(Number.isNaN) || !hasShapeOfKnown(node))) return undefined;
  return { shape, values };
}

/** The shape of the result, as far as it follows from the known inputs; undefined if they do not fit. */
function commonShape(node: Node, known: readonly ConstantValue[]): readonly number[] | undefined {
  const [first, second] = known;
  if (!first) return undefined;
  // The condition of a Select has the shape of its branches, or one element per row; a bias in NCHW is not along the last dimension.
  if (
    node.op === 'Select' &&
    known.length === 3 &&
    first.shape.length > 0 &&
    first.shape.join() !== second!.shape.join()
  ) {
    return undefined;
  }
  if (isBias(node) && (attrString(node, 'data_format') ?? 'NHWC') !== 'NHWC') return undefined;
  const shape = known.reduce<Shape>((all, value) => all && broadcastShape(all, value.shape), []);
  return shape && elementCount(shape) <= MAX_ELEMENTS && known.every((each) => fits(each.shape, shape))
    ? shape
    : undefined;
}

/** Whether an unknown input cannot add dimensions: a condition has one number, and the branches of a Select have one shape. */
function hasShapeOfKnown(node: Node): boolean {
  return attrType(node, 'T') === undefined || node.op === 'Select';
}

type Shape = readonly number[] | undefined;

/** Whether a tensor can be broadcast to a shape. */
function fits(shape: readonly number[], target: readonly number[]): boolean {
  const missing = target.length - shape.length;
  return shape.every((size, i) => size === 1 || size === target[missing + i]);
}

/** Reads the elements of a value that is broadcast to a shape. */
function elementsIn(
  { shape, values }: ConstantValue,
  target: readonly number[],
  round: (x: number) => number,
): (i: number) => number {
  if (values.length === 1) return () => round(values[0]!);
  if (values.length === elementCount(target)) return (i) => round(values[i]!);
  const axes = target.map((size, axis) => {
    const own = axis - (target.length - shape.length);
    return { size, stride: own < 0 || shape[own] === 1 ? 0 : elementCount(shape.slice(own + 1)) };
  });
  return (i) => {
    let rest = i;
    let at = 0;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const { size, stride } = axes[axis]!;
      at += (rest % size) * stride;
      rest = Math.floor(rest / size);
    }
    return round(values[at]!);
  };
}

/** The shape (or rank, or size) of a constant, however large. */
function shapeOfConst(graph: Graph, node: Node): ConstantValue | undefined {
  const from = node.inputs.length === 1 ? sourceOf(graph, node.inputs[0]!, isIdentity) : undefined;
  return queriedShape(node, from && graph.find(from.node)?.tensor?.shape);
}

/** Floats become integers if they fit: TensorFlow does not define the others. */
function cast(node: Node, value: ConstantValue | undefined): ConstantValue | undefined {
  const [from, to] = [attrType(node, 'SrcT'), attrType(node, 'DstT')];
  if (!value || attrBool(node, 'Truncate')) return undefined;
  const round = roundTo(to);
  const convert = (x: number) => {
    if (to === DataType.DT_BOOL) return Number.isNaN(x) ? x : Number(x !== 0);
    if (!isInteger(to)) return round(from === DataType.DT_DOUBLE && to !== from ? Math.fround(x) : x);
    const whole = round(x);
    return isInteger(from) || whole === Math.trunc(x) ? whole : Number.NaN;
  };
  return { shape: value.shape, values: value.values.map(convert) };
}

/** The single number of a scalar (or one-element) constant. */
export function constantScalar(graph: Graph, ref: TensorRef | undefined, pins?: Pins): number | undefined {
  return numberOf(ref && constantValue(graph, ref, pins));
}

/** The single number of a value; undefined if it has more elements, or is unknown. */
export function numberOf(value: ConstantValue | undefined): number | undefined {
  return value?.values.length === 1 && !Number.isNaN(value.values[0]) ? value.values[0] : undefined;
}

/** A constant list of integers (axes, a shape); undefined unless all elements are known. */
export function constantInts(graph: Graph, ref: TensorRef | undefined): number[] | undefined {
  const value = ref && constantValue(graph, ref);
  return value && !value.values.some(Number.isNaN) ? [...value.values] : undefined;
}

function ofConst({ tensor }: Node): ConstantValue | undefined {
  if (!tensor || tensor.dtype === DataType.DT_STRING || elementCount(tensor.shape) > MAX_ELEMENTS) return undefined;
  try {
    return { shape: tensor.shape, values: [...readNumbers(tensor)] };
  } catch {
    return undefined; // complex numbers, resources: no facts about shapes
  }
}
