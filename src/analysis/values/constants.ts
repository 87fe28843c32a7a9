import { attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { readNumbers } from '../../graph/tensor.js';
import { IDENTITIES } from '../../graph/walk.js';

/** A small constant value: its numbers row-major, and its shape. An entry is NaN where it is known only when run. */
export interface ConstantValue {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Larger constants are weights, not facts about shapes. */
const MAX_ELEMENTS = 4096;
const MAX_DEPTH = 40;

/** Values that are taken as given, by node: flags that are pinned. */
export type Pins = ReadonlyMap<string, number>;

const NO_PINS: Pins = new Map();

type Input = (index: number) => ConstantValue | undefined;

/**
 * The value of a tensor as far as constants determine it: shapes, axes, flags. Elements that are known only when the
 * graph runs are NaN; undefined when nothing is known.
 */
export function constantValue(graph: Graph, ref: TensorRef, pins = NO_PINS, depth = 0): ConstantValue | undefined {
  const pinned = pins.get(ref.node);
  if (pinned !== undefined && ref.port === 0) return { shape: [], values: [pinned] };
  const node = graph.find(ref.node);
  if (!node || depth > MAX_DEPTH) return undefined;
  const input: Input = (index) => node.inputs[index] && constantValue(graph, node.inputs[index], pins, depth + 1);
  if (PASSES.has(node.op)) return input(0);
  return EVALUATE[node.op]?.(node, input);
}

/** A switched or entered constant is the same constant, wherever it can be read. */
const PASSES: ReadonlySet<string> = new Set([...IDENTITIES, 'Enter', 'Switch', 'RefSwitch', 'ReadVariableOp']);

/** Of numbers that are not known, nothing is known. */
const compare =
  (holds: (a: number, b: number) => boolean) =>
  (_: Node, input: Input): ConstantValue | undefined =>
    both(input(0), input(1), (a, b) => (Number.isNaN(a + b) ? Number.NaN : Number(holds(a, b))));

const EVALUATE: Readonly<Record<string, (node: Node, input: Input) => ConstantValue | undefined>> = {
  Const: (node) => ofConst(node),
  Cast: (node, input) => {
    const type = attrType(node, 'DstT');
    if (type === DataType.DT_BOOL) return map(input(0), (x) => (Number.isNaN(x) ? x : Number(x !== 0)));
    const whole = type !== DataType.DT_FLOAT && type !== DataType.DT_DOUBLE && type !== DataType.DT_HALF;
    return map(input(0), (x) => (whole ? Math.trunc(x) : x));
  },
  // A single value stays what it is; of more, the one that is taken would have to be worked out.
  StridedSlice: (_, input) => {
    const value = input(0);
    return value?.values.length === 1 ? { shape: [], values: value.values } : undefined;
  },
  Pack: (node, input) => pack(node.inputs.map((_, i) => input(i))),
  ConcatV2: (node, input) => concat(node.inputs.slice(0, -1).map((_, i) => input(i))),
  Reshape: reshaped,
  ExpandDims: reshaped,
  Squeeze: reshaped,
  Add: (_, input) => both(input(0), input(1), (a, b) => a + b),
  AddV2: (_, input) => both(input(0), input(1), (a, b) => a + b),
  Sub: (_, input) => both(input(0), input(1), (a, b) => a - b),
  Mul: (_, input) => both(input(0), input(1), (a, b) => a * b),
  Range: (_, input) => range(input(0), input(1), input(2)),
  Equal: compare((a, b) => a === b),
  NotEqual: compare((a, b) => a !== b),
  Greater: compare((a, b) => a > b),
  GreaterEqual: compare((a, b) => a >= b),
  Less: compare((a, b) => a < b),
  LessEqual: compare((a, b) => a <= b),
  LogicalNot: (_, input) => map(input(0), (x) => (Number.isNaN(x) ? x : x ? 0 : 1)),
  LogicalAnd: (_, input) => both(input(0), input(1), (a, b) => (a === 0 || b === 0 ? 0 : a * b)),
  LogicalOr: (_, input) => both(input(0), input(1), (a, b) => (a === 1 || b === 1 ? 1 : a + b)),
};

/** The single number of a scalar (or one-element) constant. */
export function constantScalar(graph: Graph, ref: TensorRef | undefined, pins = NO_PINS): number | undefined {
  const value = ref && constantValue(graph, ref, pins);
  return value?.values.length === 1 && !Number.isNaN(value.values[0]) ? value.values[0] : undefined;
}

/** A constant list of integers (axes, a shape); undefined unless all of it is known. */
export function constantInts(graph: Graph, ref: TensorRef | undefined): number[] | undefined {
  const value = ref && constantValue(graph, ref);
  return value && !value.values.some(Number.isNaN) ? [...value.values] : undefined;
}

function ofConst(node: Node): ConstantValue | undefined {
  const { tensor } = node;
  if (!tensor || tensor.dtype === DataType.DT_STRING || tensor.byteLength > MAX_ELEMENTS * 8) return undefined;
  try {
    return { shape: tensor.shape, values: [...readNumbers(tensor)] };
  } catch {
    return undefined; // complex numbers, resources: no facts about shapes
  }
}

function map(value: ConstantValue | undefined, change: (x: number) => number): ConstantValue | undefined {
  return value && { shape: value.shape, values: value.values.map(change) };
}

/** Elementwise with broadcasting of scalars. */
function both(
  a: ConstantValue | undefined,
  b: ConstantValue | undefined,
  op: (a: number, b: number) => number,
): ConstantValue | undefined {
  const unknown: ConstantValue = { shape: [], values: [Number.NaN] };
  const x = a ?? unknown;
  const y = b ?? unknown;
  if (!a && !b) return undefined;
  const size = Math.max(x.values.length, y.values.length);
  if (![1, size].includes(x.values.length) || ![1, size].includes(y.values.length)) return undefined;
  const at = (v: ConstantValue, i: number) => v.values[v.values.length === 1 ? 0 : i]!;
  return {
    shape: x.values.length >= y.values.length ? x.shape : y.shape,
    values: Array.from({ length: size }, (_, i) => op(at(x, i), at(y, i))),
  };
}

function pack(parts: readonly (ConstantValue | undefined)[]): ConstantValue | undefined {
  const known = parts.find((part) => part);
  if (known && known.values.length !== 1) return undefined;
  return { shape: [parts.length], values: parts.map((part) => part?.values[0] ?? Number.NaN) };
}

function concat(parts: readonly (ConstantValue | undefined)[]): ConstantValue | undefined {
  if (parts.some((part) => part === undefined || part.shape.length !== 1)) return undefined;
  const values = parts.flatMap((part) => part!.values);
  return { shape: [values.length], values };
}

function reshaped(node: Node, input: Input): ConstantValue | undefined {
  const value = input(0);
  if (value?.values.length !== 1) {
    const target = node.op === 'Reshape' ? input(1) : undefined;
    if (!value || target?.values.length !== 1) return undefined;
    return { shape: [value.values.length], values: value.values };
  }
  if (node.op === 'ExpandDims') return { shape: [1], values: value.values };
  return { shape: node.op === 'Reshape' && input(1)?.values.length ? [1] : [], values: value.values };
}

function range(
  start: ConstantValue | undefined,
  limit: ConstantValue | undefined,
  delta: ConstantValue | undefined,
): ConstantValue | undefined {
  const [from, to, step] = [start?.values[0], limit?.values[0], delta?.values[0]];
  if (from === undefined || to === undefined || !step || Number.isNaN(from + to)) return undefined;
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (count > MAX_ELEMENTS) return undefined;
  return { shape: [count], values: Array.from({ length: count }, (_, i) => from + i * step) };
}
