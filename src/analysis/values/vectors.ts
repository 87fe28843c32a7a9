import { attrBool, attrInts, attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { elementCount, readNumbers, type Tensor } from '../../graph/tensor.js';
import { concatenation } from '../../ops/concatenation.js';
import { anyOf, isIdentity, scalarOf } from '../../ops/meaning.js';
import { constantInts } from './constants.js';

/** Numbers along at most one dimension: parameters per channel, or one for all. In float64, never rounded. */
export interface Vector {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** A vector that the graph computes only from constants. */
export interface ConstantVector extends Vector {
  /** Number of ops that compute it; 0 for a plain constant. */
  readonly ops: number;
  /** Whether computing it takes a root: typical of a batch norm's variance. */
  readonly hasRoot: boolean;
}

/** Maximum number of channels; anything larger is weights. */
export const MAX_CHANNELS = 2 ** 18;

/** The same where a shape claims channels that the file does not have: all have the last value. */
const MAX_REPEATED = 2 ** 14;

/** How many elements of vectors are known of a graph, beside those that the file has: 16 MiB. A shape may claim any number. */
const MAX_COMPUTED = 2 ** 21;

/** A number as a vector without dimensions. */
export function scalar(value: number): Vector {
  return { shape: [], values: Float64Array.of(value) };
}

/** The dimension of a vector, counted from the end (-1 is the last); undefined for one number. */
export function axisOf({ shape }: Vector): number | undefined {
  const at = shape.findIndex((size) => size !== 1);
  return at < 0 ? undefined : at - shape.length;
}

/** Elementwise with broadcasting; undefined if the vectors are along different dimensions, or differ in size. */
export function zip(a: Vector, b: Vector, op: (a: number, b: number) => number): Vector | undefined {
  if (a.shape.length === 0 && b.shape.length === 0) return scalar(op(a.values[0]!, b.values[0]!));
  const rank = Math.max(a.shape.length, b.shape.length);
  const shape: number[] = [];
  for (let i = -rank; i < 0; i++) {
    const [x, y] = [a.shape.at(i) ?? 1, b.shape.at(i) ?? 1];
    if (x !== y && x !== 1 && y !== 1) return undefined;
    shape.push(x === 1 ? y : x);
  }
  if (shape.filter((size) => size !== 1).length > 1) return undefined;
  const values = new Float64Array(elementCount(shape));
  const at = (v: Vector, i: number) => v.values[v.values.length === 1 ? 0 : i]!;
  for (let i = 0; i < values.length; i++) values[i] = op(at(a, i), at(b, i));
  return { shape, values };
}

/** The same vector with `op` applied to each element. */
export function mapVector(v: Vector, op: (x: number) => number): Vector {
  return { shape: v.shape, values: v.values.map((x) => op(x)) };
}

const isConstant = anyOf('constant');
const isEnter = anyOf('enter');
const isCast = anyOf('cast');
const isShapeLike = anyOf('shape_like');
const isReshape = anyOf('reshape');
const isFill = anyOf('fill');
const isConcat = anyOf('concat');
const isArithmetic = anyOf('arithmetic');

/** Ops that take the values, or the shape, of their first input. */
const isForwarding = anyOf('identity', 'enter', 'cast', 'shape_like', 'reshape');

/** Typical of a batch norm: it divides by a deviation. */
const takesRoot = anyOf('root', 'power');

const FLOATS: ReadonlySet<DataType> = new Set([
  DataType.DT_FLOAT,
  DataType.DT_DOUBLE,
  DataType.DT_HALF,
  DataType.DT_BFLOAT16,
]);

/** Whether a dtype is float32, float64, float16 or bfloat16. */
export function isFloat(dtype: DataType | undefined): dtype is DataType {
  return dtype !== undefined && FLOATS.has(dtype);
}

/** Evaluates constant expressions as real numbers, without intermediate rounding. */
export class ConstantEvaluator {
  readonly #graph: Graph;
  readonly #known = new Map<string, ConstantVector | undefined>();
  #room = MAX_COMPUTED;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Undefined if it is not constant, not of a floating-point type, or along several dimensions. */
  vector(ref: TensorRef | undefined): ConstantVector | undefined {
    if (ref?.port !== 0) return undefined;
    const stack = [ref.node];
    const opened = new Set<string>();
    for (let name = stack.at(-1); name !== undefined; name = stack.at(-1)) {
      const node = this.#graph.find(name);
      if (this.#known.has(name)) stack.pop();
      else if (node && !opened.has(name)) {
        opened.add(name);
        // A cycle has no value: skip nodes that are already being evaluated.
        for (const { node: operand } of operandsOf(node)) if (!opened.has(operand)) stack.push(operand);
      } else {
        const value = node && this.#room > 0 ? this.#evaluate(node) : undefined;
        this.#room += roomFor(node, value);
        this.#known.set(name, value);
      }
    }
    return this.#known.get(ref.node);
  }

  /** The value of a node whose operands have been evaluated. */
  #evaluate(node: Node): ConstantVector | undefined {
    if (isConstant(node)) return constant(node);
    const operands = operandsOf(node).map((ref) => (ref.port === 0 ? this.#known.get(ref.node) : undefined));
    const values = operands.filter((value) => value !== undefined);
    const [first, second] = values;
    if (!first || values.length < operands.length) return undefined;
    if (isIdentity(node)) return first;
    if (isEnter(node)) return attrBool(node, 'is_constant') ? first : undefined;
    if (isCast(node)) return isFloat(attrType(node, 'DstT')) ? first : undefined;
    if (isShapeLike(node)) return { ...first, values: first.values.map(() => scalarOf(node.op)!()) };
    if (isFill(node)) return this.#filled(node, first);
    if (isConcat(node)) return this.#joined(node, values);
    if (isReshape(node)) {
      const shape = this.#reshaped(node, first.shape);
      return shape && { ...first, shape };
    }
    const scalar = scalarOf(node.op)!;
    const value = second ? zip(first, second, scalar) : mapVector(first, scalar);
    return value && derived(value, node, values);
  }

  #filled(node: Node, value: ConstantVector): ConstantVector | undefined {
    const shape = constantInts(this.#graph, node.inputs[0]);
    if (!shape || value.values.length !== 1 || elementCount(shape) > MAX_REPEATED) return undefined;
    if (shape.filter((size) => size !== 1).length > 1) return undefined;
    return { ...value, shape, values: new Float64Array(elementCount(shape)).fill(value.values[0]!) };
  }

  /** The parts of a partitioned vector. */
  #joined(node: Node, parts: readonly ConstantVector[]): ConstantVector | undefined {
    const axis = constantInts(this.#graph, concatenation(node).axis);
    const isRow = parts.every((part) => part.shape.length === 1) && axis?.every((each) => each === 0 || each === -1);
    if (!isRow) return undefined;
    const values = Float64Array.from(parts.flatMap((part) => [...part.values]));
    return derived({ shape: [values.length], values }, node, parts);
  }

  /** The shape after a Reshape, Squeeze or ExpandDims. */
  #reshaped(node: Node, shape: readonly number[]): number[] | undefined {
    if (node.op === 'Squeeze') return squeezed(node, shape);
    const numbers = constantInts(this.#graph, node.inputs[1]);
    if (!numbers) return undefined;
    if (node.op === 'ExpandDims') {
      const [axis] = numbers;
      if (numbers.length !== 1 || axis === undefined) return undefined;
      const at = axis < 0 ? axis + shape.length + 1 : axis;
      return [...shape.slice(0, at), 1, ...shape.slice(at)];
    }
    const rest = numbers.reduce((product, size) => (size < 0 ? product : product * size), 1);
    const target = numbers.map((size) => (size < 0 ? elementCount(shape) / rest : size));
    return elementCount(target) === elementCount(shape) ? target : undefined;
  }
}

/** The inputs from which a node computes a vector; empty if it does not compute one. */
function operandsOf(node: Node): readonly TensorRef[] {
  if (isFill(node)) return node.inputs.slice(1, 2);
  if (isConcat(node)) return concatenation(node).parts;
  if (isForwarding(node)) return node.inputs.slice(0, 1);
  return isArithmetic(node) && scalarOf(node.op) && node.inputs.length <= 2 ? node.inputs : [];
}

function squeezed(node: Node, shape: readonly number[]): number[] {
  const axes = (attrInts(node, 'squeeze_dims') ?? []).map((axis) => (axis < 0 ? axis + shape.length : axis));
  return shape.filter((size, axis) => (axes.length === 0 ? size !== 1 : !axes.includes(axis)));
}

/** Cache of values, kept as long as their tensor is in use: every pass reads the same parameters. */
const numbers = new WeakMap<Tensor, Float64Array>();

function constant({ tensor }: Node): ConstantVector | undefined {
  if (!tensor || !isFloat(tensor.dtype)) return undefined;
  const count = elementCount(tensor.shape);
  const limit = tensor.stored ? MAX_REPEATED : MAX_CHANNELS;
  if (count === 0 || count > limit || tensor.shape.filter((size) => size !== 1).length > 1) return undefined;
  const values = numbers.get(tensor) ?? readNumbers(tensor);
  if (limit === MAX_CHANNELS) numbers.set(tensor, values);
  return { shape: tensor.shape, values, ops: 0, hasRoot: false };
}

/** What a vector adds to the room for others: as much as it takes if the file has its elements, otherwise it takes that much. */
function roomFor(node: Node | undefined, value: ConstantVector | undefined): number {
  if (!value) return 0;
  const isStored = node?.tensor && !node.tensor.stored;
  return isStored ? value.values.length : -value.values.length;
}

function derived(value: Vector, node: Node, from: readonly ConstantVector[]): ConstantVector {
  return {
    ...value,
    ops: from.reduce((sum, each) => sum + each.ops, 1),
    hasRoot: takesRoot(node) || from.some((each) => each.hasRoot),
  };
}
