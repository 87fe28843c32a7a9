import { attrInt, attrInts } from '../graph/attrs.js';
import type { Node } from '../graph/node.js';
import { elementCount } from '../graph/tensor.js';

/** A small constant value: its numbers row-major, and its shape. NaN for an element that is known only at run time. */
export interface ConstantValue {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Larger constants are weights, not facts about shapes. */
export const MAX_ELEMENTS = 4096;

/** The value of a node's inputs; undefined for an unknown one. */
export type ConstantInput = (index: number) => ConstantValue | undefined;

/** The value of output 0 of an op that moves the elements of small constants; undefined if unknown. */
export type ValueRule = (node: Node, input: ConstantInput) => ConstantValue | undefined;

/** Reshape: the elements do not change. */
export const reshaped: ValueRule = (_, input) => {
  const value = input(0);
  const target = input(1)?.values;
  if (!value || !target || target.some(Number.isNaN)) return undefined;
  const rest = target.reduce((product, size) => (size < 0 ? product : product * size), 1);
  return withShape(
    value,
    target.map((size) => (size < 0 ? value.values.length / rest : size)),
  );
};

/** ExpandDims. */
export const expanded: ValueRule = (_, input) => {
  const [value, axis] = [input(0), input(1)?.values[0]];
  if (!value || axis === undefined || Number.isNaN(axis)) return undefined;
  const at = axis < 0 ? axis + value.shape.length + 1 : axis;
  return withShape(value, [...value.shape.slice(0, at), 1, ...value.shape.slice(at)]);
};

/** Squeeze. */
export const squeezed: ValueRule = (node, input) => {
  const value = input(0);
  if (!value) return undefined;
  const axes = (attrInts(node, 'squeeze_dims') ?? []).map((axis) => (axis < 0 ? axis + value.shape.length : axis));
  return withShape(
    value,
    value.shape.filter((size, axis) => (axes.length === 0 ? size !== 1 : !axes.includes(axis))),
  );
};

/** Pack of scalars: a list. */
export const packed: ValueRule = (node, input) => {
  const parts = node.inputs.map((_, i) => input(i));
  // One known scalar shows that all are scalars.
  if (!parts.some((part) => part?.shape.length === 0)) return undefined;
  return { shape: [parts.length], values: parts.map((part) => part?.values[0] ?? Number.NaN) };
};

/** ConcatV2 of lists. */
export const joined: ValueRule = (node, input) => joinedLists(node.inputs.slice(0, -1).map((_, i) => input(i)));

/** Concat of lists: its axis comes first. */
export const joinedV1: ValueRule = (node, input) => joinedLists(node.inputs.slice(1).map((_, i) => input(i + 1)));

function joinedLists(parts: readonly (ConstantValue | undefined)[]): ConstantValue | undefined {
  if (parts.some((part) => part?.shape.length !== 1)) return undefined;
  const values = parts.flatMap((part) => part!.values);
  return { shape: [values.length], values };
}

/** Range(start, limit, delta). */
export const counted: ValueRule = (_, input) => {
  const [from, to, step] = [0, 1, 2].map((index) => input(index)?.values[0] ?? Number.NaN) as [number, number, number];
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (!(count <= MAX_ELEMENTS)) return undefined;
  return { shape: [count], values: Array.from({ length: count }, (_, i) => from + i * step) };
};

function withShape(value: ConstantValue, shape: readonly number[]): ConstantValue | undefined {
  return elementCount(shape) === value.values.length ? { shape, values: value.values } : undefined;
}

/** The part of a list that a StridedSlice selects: one element or a range; undefined for other slices. */
export const sliced: ValueRule = (node, input) => {
  const [value, begin, end, stride] = [0, 1, 2, 3].map(input);
  if (!value) return undefined;
  const mask = (name: string) => attrInt(node, name) ?? 0;
  const isPlain = mask('new_axis_mask') === 0 && mask('ellipsis_mask') === 0;
  if (value.shape.length !== 1 || begin?.values.length !== 1 || !isPlain) {
    // Any non-empty slice of a single element is that element.
    return value.values.length === 1 && mask('shrink_axis_mask') !== 0
      ? { shape: [], values: value.values }
      : undefined;
  }
  const size = value.values.length;
  const fromEnd = (x: number) => (x < 0 ? x + size : x);
  const [from, to, step] = [begin.values[0]!, end?.values[0] ?? Number.NaN, stride?.values[0] ?? 1];
  if (Number.isNaN(from)) return undefined;
  if (mask('shrink_axis_mask') !== 0) {
    const element = value.values[fromEnd(from)];
    return element === undefined ? undefined : { shape: [], values: [element] };
  }
  if (step !== 1) return undefined;
  const first = mask('begin_mask') !== 0 ? 0 : Math.max(0, fromEnd(from));
  const last = mask('end_mask') !== 0 ? size : fromEnd(to);
  if (Number.isNaN(last)) return undefined;
  const values = value.values.slice(first, Math.max(first, last));
  return { shape: [values.length], values };
};
