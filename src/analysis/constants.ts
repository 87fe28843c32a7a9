import { attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph, Node, TensorRef } from '../graph/graph.js';
import { readNumbers } from '../graph/tensor.js';
import { IDENTITIES } from '../graph/walk.js';

/** A small constant value: its numbers row-major, and its shape. An entry is NaN where it is known only when run. */
export interface ConstantValue {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Larger constants are weights, not facts about shapes. */
const MAX_ELEMENTS = 4096;
const MAX_DEPTH = 40;

/**
 * The value of a tensor as far as constants determine it: shapes, axes, flags. Elements that are known only when the
 * graph runs are NaN; undefined when nothing is known.
 */
export function constantValue(graph: Graph, ref: TensorRef, depth = 0): ConstantValue | undefined {
  const node = graph.find(ref.node);
  if (!node || depth > MAX_DEPTH) return undefined;
  const input = (index: number) => node.inputs[index] && constantValue(graph, node.inputs[index], depth + 1);
  if (node.op === 'Const') return ofConst(node);
  if (IDENTITIES.has(node.op) || node.op === 'Enter') return input(0);
  switch (node.op) {
    case 'Cast': {
      const value = input(0);
      const whole = attrType(node, 'DstT') !== DataType.DT_FLOAT;
      return value && map(value, (x) => (whole ? Math.trunc(x) : x));
    }
    case 'Pack':
      return pack(node.inputs.map((_, i) => input(i)));
    case 'ConcatV2':
      return concat(node.inputs.slice(0, -1).map((_, i) => input(i)));
    case 'Reshape':
    case 'ExpandDims':
    case 'Squeeze':
      return reshaped(node, input);
    case 'Add':
    case 'AddV2':
      return both(input(0), input(1), (a, b) => a + b);
    case 'Sub':
      return both(input(0), input(1), (a, b) => a - b);
    case 'Mul':
      return both(input(0), input(1), (a, b) => a * b);
    case 'Range':
      return range(input(0), input(1), input(2));
    case 'LogicalNot':
      return map(input(0), (x) => (Number.isNaN(x) ? x : x ? 0 : 1));
    case 'LogicalAnd':
      return both(input(0), input(1), (a, b) => (a === 0 || b === 0 ? 0 : a * b));
    case 'LogicalOr':
      return both(input(0), input(1), (a, b) => (a === 1 || b === 1 ? 1 : a + b));
    default:
      return undefined;
  }
}

/** The single number of a scalar (or one-element) constant. */
export function constantScalar(graph: Graph, ref: TensorRef | undefined): number | undefined {
  const value = ref && constantValue(graph, ref);
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

function reshaped(node: Node, input: (index: number) => ConstantValue | undefined): ConstantValue | undefined {
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
