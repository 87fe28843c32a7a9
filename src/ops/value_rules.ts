import { attrBool, attrInt, attrInts, attrType } from '../graph/attrs.js';
import type { Node } from '../graph/node.js';
import { isInteger, roundTo } from '../graph/rounding.js';
import { elementCount } from '../graph/tensor.js';

/** A small constant value: its numbers row-major, and its shape. NaN for an element that is known only at run time. */
export interface ConstantValue {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Larger constants are weights, not facts about shapes or parameters of a channel. */
export const MAX_ELEMENTS = 16_384;

/** The value of a node's inputs; undefined for an unknown one. */
export type ConstantInput = (index: number) => ConstantValue | undefined;

/** The value of output `port` of an op that moves the elements of small constants; undefined if unknown. */
export type ValueRule = (node: Node, input: ConstantInput, port: number) => ConstantValue | undefined;

/** Reshape: the elements do not change. */
export const reshaped: ValueRule = (_, input) => {
  const value = input(0);
  const target = listOf(input(1));
  if (!value || !target) return undefined;
  const rest = target.reduce((product, size) => (size < 0 ? product : product * size), 1);
  return withShape(
    value,
    target.map((size) => (size < 0 ? value.values.length / rest : size)),
  );
};

/** Prod of all elements of a list of integers: of sizes. */
export const multiplied: ValueRule = (node, input) => {
  const [value, axes] = [input(0), input(1)];
  const isWhole = axes?.values.length === 1 && (axes.values[0] === 0 || axes.values[0] === -1);
  if (value?.shape.length !== 1 || !isWhole || !isInteger(attrType(node, 'T'))) return undefined;
  const product = value.values.reduce((all, size) => all * size, 1);
  if (product > MAX_PRODUCT) return undefined;
  return { shape: attrBool(node, 'keep_dims') ? [1] : [], values: [product] };
};

/** Larger products overflow an int32. */
const MAX_PRODUCT = 2 ** 31 - 1;

/** ExpandDims. */
export const expanded: ValueRule = (_, input) => {
  const [value, axis] = [input(0), scalarOf(input(1))];
  if (!value || axis === undefined) return undefined;
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

/** Pack: a list of scalars, some of which may be unknown, or tensors of one shape along a new axis. */
export const packed: ValueRule = (node, input) => {
  const parts = node.inputs.map((_, i) => input(i));
  // One known scalar shows that all are scalars.
  if (parts.some((part) => part?.shape.length === 0)) {
    return { shape: [parts.length], values: parts.map((part) => part?.values[0] ?? Number.NaN) };
  }
  const rank = parts[0]?.shape.length ?? 0;
  const axis = axisOf(attrInt(node, 'axis') ?? 0, rank + 1);
  if (axis === undefined) return undefined;
  const wider = parts.map(
    (part) => part && { ...part, shape: [...part.shape.slice(0, axis), 1, ...part.shape.slice(axis)] },
  );
  return concatenated(wider, axis);
};

/** ConcatV2: its axis comes last. */
export const joined: ValueRule = (node, input) => {
  const last = node.inputs.length - 1;
  return concatenated(
    node.inputs.slice(0, last).map((_, i) => input(i)),
    scalarOf(input(last)),
  );
};

/** Concat: its axis comes first. */
export const joinedV1: ValueRule = (node, input) =>
  concatenated(
    node.inputs.slice(1).map((_, i) => input(i + 1)),
    scalarOf(input(0)),
  );

function concatenated(
  parts: readonly (ConstantValue | undefined)[],
  along: number | undefined,
): ConstantValue | undefined {
  const first = parts[0]?.shape;
  const axis = first && (first.length === 1 ? 0 : axisOf(along, first.length));
  if (!first || axis === undefined) return undefined;
  const known = parts.filter((part) => part?.shape.every((size, i) => i === axis || size === first[i]));
  if (known.length < parts.length || known.some((part) => part!.shape.length !== first.length)) return undefined;
  const shape = [...first];
  shape[axis] = known.reduce((sum, part) => sum + part!.shape[axis]!, 0);
  if (elementCount(shape) > MAX_ELEMENTS) return undefined;
  const values: number[] = [];
  const rows = elementCount(first.slice(0, axis));
  for (let row = 0; row < rows; row++) {
    for (const part of known) {
      const length = part!.values.length / rows;
      for (let i = 0; i < length; i++) values.push(part!.values[row * length + i]!);
    }
  }
  return { shape, values };
}

/** How many numbers a Range outputs. TensorFlow computes it in the dtype of the Range: 0.3 / 0.1 is 3 in float32. */
export function rangeLength(node: Node, from: number, to: number, step: number): number {
  const type = attrType(node, 'Tidx');
  const round = isInteger(type) ? (x: number) => x : roundTo(type);
  return Math.max(0, Math.ceil(round(round(to - from) / step)));
}

/** Range(start, limit, delta). */
export const counted: ValueRule = (node, input) => {
  const [from, to, step] = [0, 1, 2].map((index) => scalarOf(input(index)) ?? Number.NaN) as [number, number, number];
  const count = rangeLength(node, from, to, step);
  if (!(count <= MAX_ELEMENTS)) return undefined;
  return { shape: [count], values: Array.from({ length: count }, (_, i) => from + i * step) };
};

/** Fill(dims, value). */
export const filled: ValueRule = (_, input) => {
  const [shape, value] = [shapeOf(input(0)), input(1)];
  if (!shape || !value) return undefined;
  return { shape, values: new Array<number>(elementCount(shape)).fill(value.values[0] ?? Number.NaN) };
};

/** Slice(x, begin, size): a size of -1 means the rest. */
export const slicedBySize: ValueRule = (_, input) => {
  const [value, begin, size] = [input(0), listOf(input(1)), listOf(input(2))];
  if (!value || begin?.length !== value.shape.length || size?.length !== value.shape.length) return undefined;
  return picked(
    value,
    value.shape.map((of, axis) => range(begin[axis]!, size[axis]! < 0 ? of - begin[axis]! : size[axis]!)),
  );
};

/** Transpose(x, perm). */
export const transposed: ValueRule = (_, input) => {
  const [value, perm] = [input(0), listOf(input(1))];
  if (!value || perm?.length !== value.shape.length) return undefined;
  if (perm.some((axis) => value.shape[axis] === undefined)) return undefined;
  const strides = stridesOf(value.shape);
  return collected(
    value,
    perm.map((axis) => ({ stride: strides[axis]!, indices: range(0, value.shape[axis]!) })),
  );
};

/** Tile(x, multiples). */
export const tiled: ValueRule = (_, input) => {
  const [value, multiples] = [input(0), listOf(input(1))];
  if (!value || multiples?.length !== value.shape.length) return undefined;
  if (!(elementCount(multiples) * value.values.length <= MAX_ELEMENTS)) return undefined;
  return picked(
    value,
    value.shape.map((size, axis) => range(0, size * multiples[axis]!).map((i) => i % size)),
  );
};

/** BroadcastTo(x, shape). */
export const broadcastTo: ValueRule = (_, input) => {
  const [value, shape] = [input(0), shapeOf(input(1))];
  if (!value || !shape || shape.length < value.shape.length) return undefined;
  const own = [...new Array<number>(shape.length - value.shape.length).fill(1), ...value.shape];
  if (own.some((size, axis) => size !== 1 && size !== shape[axis])) return undefined;
  return picked(
    { ...value, shape: own },
    shape.map((size, axis) => (own[axis] === 1 ? new Array<number>(size).fill(0) : range(0, size))),
  );
};

/** Gather(x, indices): rows. */
export const gathered: ValueRule = (_, input) => taken(input(0), input(1), 0);

/** GatherV2(x, indices, axis). */
export const gatheredAlong: ValueRule = (node, input) =>
  (attrInt(node, 'batch_dims') ?? 0) === 0 ? taken(input(0), input(1), scalarOf(input(2))) : undefined;

function taken(
  value: ConstantValue | undefined,
  indices: ConstantValue | undefined,
  along: number | undefined,
): ConstantValue | undefined {
  const list = listOf(indices);
  const axis = value && axisOf(along, value.shape.length);
  if (!value || !indices || !list || axis === undefined) return undefined;
  const rows = alongAxis(value, axis, list);
  const shape = [...value.shape.slice(0, axis), ...indices.shape, ...value.shape.slice(axis + 1)];
  return rows && { shape, values: rows.values };
}

/** Split(axis, x) into equal parts. */
export const split: ValueRule = (node, input, port) => {
  const [axis, value] = [scalarOf(input(0)), input(1)];
  const parts = attrInt(node, 'num_split') ?? 1;
  const at = value && axisOf(axis, value.shape.length);
  if (!value || at === undefined) return undefined;
  const size = value.shape[at]! / parts;
  return Number.isInteger(size) ? alongAxis(value, at, range(port * size, size)) : undefined;
};

/** SplitV(x, sizes, axis): a size of -1 means the rest. */
export const splitBySizes: ValueRule = (_, input, port) => {
  const [value, given, axis] = [input(0), listOf(input(1)), scalarOf(input(2))];
  const at = value && axisOf(axis, value.shape.length);
  if (!value || !given || at === undefined) return undefined;
  const rest = value.shape[at]! - given.reduce((sum, size) => sum + Math.max(size, 0), 0);
  const sizes = given.map((size) => (size < 0 ? rest : size));
  const begin = sizes.slice(0, port).reduce((sum, size) => sum + size, 0);
  return alongAxis(value, at, range(begin, sizes[port] ?? 0));
};

/** Unpack: one part of an axis, which disappears. */
export const unpacked: ValueRule = (node, input, port) => {
  const value = input(0);
  const axis = value && axisOf(attrInt(node, 'axis') ?? 0, value.shape.length);
  const part = value && axis !== undefined ? alongAxis(value, axis, [port]) : undefined;
  return part && { shape: part.shape.filter((_, i) => i !== axis), values: part.values };
};

/** The part that a StridedSlice selects, with all its masks (ValidateStridedSliceOp in strided_slice_op.cc). */
export const sliced: ValueRule = (node, input) => {
  const [value, begin, end, strides] = [0, 1, 2, 3].map(input);
  if (!value) return undefined;
  if (!begin) {
    // An index into a list of one element can only take that element.
    const isOne = value.shape.length === 1 && value.values.length === 1 && attrInt(node, 'shrink_axis_mask') === 1;
    return isOne && !attrInt(node, 'new_axis_mask') ? { shape: [], values: value.values } : undefined;
  }
  const has = (mask: string, entry: number) => ((attrInt(node, mask) ?? 0) >> entry) % 2 === 1;
  const entries = range(0, begin.values.length);
  // An ellipsis has priority over a new axis; any other entry consumes one dimension.
  const taking = entries.filter((entry) => !has('ellipsis_mask', entry) && !has('new_axis_mask', entry)).length;
  if (taking > value.shape.length) return undefined;
  const indices: number[][] = [];
  const shape: number[] = [];
  const keepAll = (count: number) => {
    for (let i = 0; i < count; i++) {
      shape.push(value.shape[indices.length]!);
      indices.push(range(0, value.shape[indices.length]!));
    }
  };
  for (const entry of entries) {
    if (has('ellipsis_mask', entry)) keepAll(value.shape.length - taking);
    else if (has('new_axis_mask', entry)) shape.push(1);
    else {
      const size = value.shape[indices.length]!;
      const at = (list: ConstantValue | undefined, mask: string) =>
        has(mask, entry) ? undefined : (list?.values[entry] ?? Number.NaN);
      if (has('shrink_axis_mask', entry)) {
        const index = begin.values[entry]!;
        indices.push([index < 0 ? index + size : index]);
      } else {
        const chosen = stepped(size, at(begin, 'begin_mask'), at(end, 'end_mask'), strides?.values[entry] ?? 1);
        if (!chosen) return undefined;
        indices.push(chosen);
        shape.push(chosen.length);
      }
    }
  }
  keepAll(value.shape.length - indices.length);
  const part = picked(value, indices);
  return part && { shape, values: part.values };
};

/** The indices of `begin:end:stride`; undefined if one of them is unknown (NaN). An undefined end is that of the axis. */
function stepped(
  size: number,
  begin: number | undefined,
  end: number | undefined,
  stride: number,
): number[] | undefined {
  if (Number.isNaN(stride + (begin ?? 0) + (end ?? 0)) || stride === 0) return undefined;
  const [low, high] = stride > 0 ? [0, size] : [-1, size - 1];
  const clamped = (at: number) => Math.min(Math.max(at < 0 ? at + size : at, low), high);
  const from = begin === undefined ? (stride > 0 ? low : high) : clamped(begin);
  const to = end === undefined ? (stride > 0 ? high : low) : clamped(end);
  return range(0, Math.max(0, Math.ceil((to - from) / stride))).map((i) => from + i * stride);
}

function withShape(value: ConstantValue, shape: readonly number[]): ConstantValue | undefined {
  const isPossible = shape.every((size) => Number.isInteger(size) && size >= 0);
  return isPossible && elementCount(shape) === value.values.length ? { shape, values: value.values } : undefined;
}

/** A list of known numbers; undefined if one is unknown. */
function listOf(value: ConstantValue | undefined): readonly number[] | undefined {
  return value?.values.some(Number.isNaN) ? undefined : value?.values;
}

function scalarOf(value: ConstantValue | undefined): number | undefined {
  return value?.values.length === 1 ? listOf(value)?.[0] : undefined;
}

function axisOf(axis: number | undefined, rank: number): number | undefined {
  if (axis === undefined) return undefined;
  const at = axis < 0 ? axis + rank : axis;
  return at >= 0 && at < rank ? at : undefined;
}

function range(begin: number, count: number): number[] {
  // One more than any value has: then it is outside.
  return Array.from({ length: Math.min(Math.max(count, 0), MAX_ELEMENTS + 1) }, (_, i) => begin + i);
}

/** A shape that a value may have; undefined if it is too large or has negative sizes. */
function shapeOf(value: ConstantValue | undefined): readonly number[] | undefined {
  const shape = listOf(value);
  return shape?.every((size) => size >= 0) && elementCount(shape) <= MAX_ELEMENTS ? shape : undefined;
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

function alongAxis(value: ConstantValue, axis: number, indices: readonly number[]): ConstantValue | undefined {
  return picked(
    value,
    value.shape.map((size, i) => (i === axis ? indices : range(0, size))),
  );
}

/** The elements at the given indices of each axis; undefined if one is outside. */
function picked(value: ConstantValue, indices: readonly (readonly number[])[]): ConstantValue | undefined {
  const strides = stridesOf(value.shape);
  const isInside = indices.every((list, axis) => list.every((i) => i >= 0 && i < value.shape[axis]!));
  if (!isInside) return undefined;
  return collected(
    value,
    indices.map((list, axis) => ({ stride: strides[axis]!, indices: list })),
  );
}

/** Elements of a value: the axes of the result, each with its indices into the value. */
function collected(
  { values }: ConstantValue,
  axes: readonly { readonly stride: number; readonly indices: readonly number[] }[],
): ConstantValue | undefined {
  const shape = axes.map(({ indices }) => indices.length);
  if (elementCount(shape) > MAX_ELEMENTS) return undefined;
  let offsets = [0];
  for (const { stride, indices } of axes)
    offsets = offsets.flatMap((offset) => indices.map((i) => offset + i * stride));
  return { shape, values: offsets.map((offset) => values[offset]!) };
}
