import { attrBool, attrInts, attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { elementCount, readNumbers, type Tensor } from '../../graph/tensor.js';
import { isIdentity } from '../../ops/meaning.js';
import { constantInts } from './constants.js';

/** Numbers that lie along at most one dimension: parameters per channel, or one for all. In float64, never rounded. */
export interface Vector {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** A vector that the graph computes out of constants alone. */
export interface ConstantVector extends Vector {
  /** Number of ops that compute it; 0 for a plain constant. */
  readonly ops: number;
  /** Whether a root is taken on the way: the mark of a batch norm's variance. */
  readonly hasRoot: boolean;
}

/** Channels are fewer than that; anything larger is weights. */
const MAX_SIZE = 2 ** 20;
const MAX_DEPTH = 64;

export function scalar(value: number): Vector {
  return { shape: [], values: Float64Array.of(value) };
}

/** The dimension along which a vector lies, counted from the end (-1 is the last); undefined for one number. */
export function axisOf({ shape }: Vector): number | undefined {
  const at = shape.findIndex((size) => size !== 1);
  return at < 0 ? undefined : at - shape.length;
}

/** Elementwise with broadcasting; undefined where the vectors lie along different dimensions, or are not of one size. */
export function zip(a: Vector, b: Vector, op: (a: number, b: number) => number): Vector | undefined {
  if (a.shape.length === 0 && b.shape.length === 0) return scalar(op(a.values[0]!, b.values[0]!));
  const rank = Math.max(a.shape.length, b.shape.length);
  const shape: number[] = [];
  for (let i = -rank; i < 0; i++) {
    const [x, y] = [a.shape.at(i) ?? 1, b.shape.at(i) ?? 1];
    if (-i <= a.shape.length && -i <= b.shape.length && x !== y && x !== 1 && y !== 1) return undefined;
    shape.push(x === 1 ? y : x);
  }
  if (shape.filter((size) => size !== 1).length > 1) return undefined;
  const values = new Float64Array(elementCount(shape));
  const at = (v: Vector, i: number) => v.values[v.values.length === 1 ? 0 : i]!;
  for (let i = 0; i < values.length; i++) values[i] = op(at(a, i), at(b, i));
  return { shape, values };
}

export function mapVector(v: Vector, op: (x: number) => number): Vector {
  return { shape: v.shape, values: v.values.map(op) };
}

type Binary = (a: number, b: number) => number;

const BINARY: Readonly<Record<string, Binary>> = {
  Add: (a, b) => a + b,
  AddV2: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  RealDiv: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Maximum: Math.max,
  Minimum: Math.min,
};

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Rsqrt: (x) => 1 / Math.sqrt(x),
  Sqrt: Math.sqrt,
  Square: (x) => x * x,
  Inv: (x) => 1 / x,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(0, x),
  Exp: Math.exp,
};

const ROOTS: ReadonlySet<string> = new Set(['Rsqrt', 'Sqrt', 'Pow']);

const FLOATS: ReadonlySet<DataType> = new Set([
  DataType.DT_FLOAT,
  DataType.DT_DOUBLE,
  DataType.DT_HALF,
  DataType.DT_BFLOAT16,
]);

export function isFloat(dtype: DataType | undefined): dtype is DataType {
  return dtype !== undefined && FLOATS.has(dtype);
}

/** Evaluates what constants alone determine, as real numbers: nothing is rounded on the way. */
export class ConstantEvaluator {
  readonly #graph: Graph;
  readonly #known = new Map<string, ConstantVector | undefined>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Undefined where it is no constant, not of a floating-point type, or lies along several dimensions. */
  vector(ref: TensorRef | undefined, depth = 0): ConstantVector | undefined {
    if (ref?.port !== 0 || depth > MAX_DEPTH) return undefined;
    const key = refText(ref);
    if (this.#known.has(key)) return this.#known.get(key);
    // A cycle has no value.
    this.#known.set(key, undefined);
    const node = this.#graph.find(ref.node);
    const value = node && this.#evaluate(node, depth + 1);
    this.#known.set(key, value);
    return value;
  }

  #evaluate(node: Node, depth: number): ConstantVector | undefined {
    if (node.op === 'Const') return constant(node);
    const input = (index: number) => this.vector(node.inputs[index], depth);
    if (isIdentity(node)) return input(0);
    if (node.op === 'Enter') return attrBool(node, 'is_constant') ? input(0) : undefined;
    if (node.op === 'Cast') return isFloat(attrType(node, 'DstT')) ? input(0) : undefined;
    if (node.op in BINARY) {
      const [a, b] = [input(0), input(1)];
      const value = a && b && zip(a, b, BINARY[node.op]!);
      return value && derived(value, node.op, [a, b]);
    }
    if (node.op in UNARY) {
      const x = input(0);
      return x && derived(mapVector(x, UNARY[node.op]!), node.op, [x]);
    }
    if (node.op === 'OnesLike' || node.op === 'ZerosLike') {
      const like = input(0);
      return like && { ...like, values: new Float64Array(like.values.length).fill(node.op === 'OnesLike' ? 1 : 0) };
    }
    if (node.op === 'Fill') return this.#filled(node, input(1));
    if (node.op === 'ConcatV2') return this.#joined(node, depth);
    const x = RESHAPES.has(node.op) ? input(0) : undefined;
    const shape = x && this.#reshaped(node, x.shape);
    return shape && { ...x, shape };
  }

  #filled(node: Node, value: ConstantVector | undefined): ConstantVector | undefined {
    const shape = constantInts(this.#graph, node.inputs[0]);
    if (!shape || value?.values.length !== 1 || elementCount(shape) > MAX_SIZE) return undefined;
    if (shape.filter((size) => size !== 1).length > 1) return undefined;
    return { ...value, shape, values: new Float64Array(elementCount(shape)).fill(value.values[0]!) };
  }

  /** The parts of a partitioned vector. */
  #joined(node: Node, depth: number): ConstantVector | undefined {
    const parts = node.inputs.slice(0, -1).map((ref) => this.vector(ref, depth));
    const known = parts.filter((part) => part !== undefined);
    const isRow = known.length === parts.length && known.every((part) => part.shape.length === 1);
    if (!isRow || constantInts(this.#graph, node.inputs.at(-1))?.some((axis) => axis !== 0 && axis !== -1))
      return undefined;
    const values = Float64Array.from(known.flatMap((part) => [...part.values]));
    return derived({ shape: [values.length], values }, node.op, known);
  }

  /** The shape behind a Reshape, Squeeze or ExpandDims. */
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

const RESHAPES: ReadonlySet<string> = new Set(['Reshape', 'Squeeze', 'ExpandDims']);

function squeezed(node: Node, shape: readonly number[]): number[] {
  const axes = (attrInts(node, 'squeeze_dims') ?? []).map((axis) => (axis < 0 ? axis + shape.length : axis));
  return shape.filter((size, axis) => (axes.length === 0 ? size !== 1 : !axes.includes(axis)));
}

/** What was read, for as long as its tensor is in use: each pass looks at the same parameters. */
const numbers = new WeakMap<Tensor, Float64Array>();

function constant({ tensor }: Node): ConstantVector | undefined {
  if (!tensor || !isFloat(tensor.dtype)) return undefined;
  const count = elementCount(tensor.shape);
  if (count === 0 || count > MAX_SIZE || tensor.shape.filter((size) => size !== 1).length > 1) return undefined;
  const values = numbers.get(tensor) ?? readNumbers(tensor);
  numbers.set(tensor, values);
  return { shape: tensor.shape, values, ops: 0, hasRoot: false };
}

function derived(value: Vector, op: string, from: readonly ConstantVector[]): ConstantVector {
  return {
    ...value,
    ops: from.reduce((sum, each) => sum + each.ops, 1),
    hasRoot: ROOTS.has(op) || from.some((each) => each.hasRoot),
  };
}
