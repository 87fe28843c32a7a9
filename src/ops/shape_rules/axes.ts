import { attrBool, attrInt, attrInts } from '../../graph/attrs.js';
import { broadcastShape, sharedShape } from './elementwise.js';
import {
  axisIndex,
  ints,
  type Shape,
  type ShapeContext,
  type ShapeRule,
  scalar,
  shapeGiven,
  sizeOf,
  UNKNOWN,
  unknownSizes,
} from './rule.js';

/** Mean, Sum and other reductions over the axes of input 1. */
export const reduction: ShapeRule = (context) => {
  const x = context.shape(0);
  const axes = ints(context, 1);
  if (!x || !axes) return undefined;
  const reduced = new Set(axes.map((axis) => axisIndex(axis, x.length)));
  if (attrBool(context.node, 'keep_dims')) return x.map((size, axis) => (reduced.has(axis) ? 1 : size));
  return x.filter((_, axis) => !reduced.has(axis));
};

/** ArgMax, ArgMin: remove one axis. */
export const argReduction: ShapeRule = (context) => {
  const x = context.shape(0);
  const axis = x && axisIndex(scalar(context, 1), x.length);
  return axis === undefined ? undefined : x?.filter((_, i) => i !== axis);
};

/** MatMul of two matrices. */
export const matMul: ShapeRule = ({ node, shape }) => {
  const [a, b] = [shape(0), shape(1)];
  if (a?.length !== 2 || b?.length !== 2) return undefined;
  return [attrBool(node, 'transpose_a') ? a[1]! : a[0]!, attrBool(node, 'transpose_b') ? b[0]! : b[1]!];
};

/** BatchMatMul: the dimensions before the matrices are broadcast. */
export const batchMatMul: ShapeRule = ({ node, shape }) => {
  const [a, b] = [shape(0), shape(1)];
  if (!a || !b || a.length < 2 || b.length < 2) return undefined;
  const batch = broadcastShape(a.slice(0, -2), b.slice(0, -2));
  return batch && [...batch, a.at(attrBool(node, 'adj_x') ? -1 : -2)!, b.at(attrBool(node, 'adj_y') ? -2 : -1)!];
};

/** Reshape: one size may follow from the number of elements. */
export const reshape: ShapeRule = (context) => {
  const target = shapeGiven(context, 1);
  const x = context.shape(0);
  const isOpen = target?.filter((size) => size < 0).length === 1;
  if (!target || !isOpen || !x || x.some((size) => size < 0)) return target;
  const rest = target.reduce((product, size) => (size < 0 ? product : product * size), 1);
  const total = x.reduce((product, size) => product * size, 1);
  return target.map((size) => (size < 0 ? sizeOf(() => total / rest) : size));
};

/** Squeeze: without axes, removes all axes of size 1. */
export const squeeze: ShapeRule = ({ node, shape }) => {
  const x = shape(0);
  const axes = attrInts(node, 'squeeze_dims') ?? [];
  if (!x) return undefined;
  if (axes.length === 0) return x.includes(UNKNOWN) ? undefined : x.filter((size) => size !== 1);
  const gone = new Set(axes.map((axis) => axisIndex(axis, x.length)));
  return x.filter((_, axis) => !gone.has(axis));
};

/** ExpandDims: inserts an axis of size 1. */
export const expandDims: ShapeRule = (context) => {
  const x = context.shape(0);
  const at = x && axisIndex(scalar(context, 1), x.length + 1);
  return at === undefined ? undefined : [...x!.slice(0, at), 1, ...x!.slice(at)];
};

/** Transpose by the order of input 1. */
export const transpose: ShapeRule = (context) => {
  const x = context.shape(0);
  const order = ints(context, 1);
  return x && order ? order.map((axis) => x[axis] ?? UNKNOWN) : x && unknownSizes(x.length);
};

/** Pad, PadV2, MirrorPad: input 1 has the padding before and after each dimension. */
export const pad: ShapeRule = (context) => {
  const x = context.shape(0);
  const pads = ints(context, 1);
  return x?.map((size, axis) =>
    pads?.length === 2 * x.length ? sizeOf((of) => of + pads[2 * axis]! + pads[2 * axis + 1]!, size) : UNKNOWN,
  );
};

function joined(context: ShapeContext, parts: readonly number[], axisInput: number): Shape {
  const shapes = parts.map((index) => context.shape(index));
  const first = shapes.find((shape) => shape !== undefined);
  const at = first && axisIndex(scalar(context, axisInput), first.length);
  if (!first || at === undefined) return first && unknownSizes(first.length);
  return first.map((_, axis) => {
    const sizes = shapes.map((shape) => shape?.[axis] ?? UNKNOWN);
    if (axis === at) return sizeOf((...all) => all.reduce((sum, size) => sum + size, 0), ...sizes);
    return sizes.find((size) => size !== UNKNOWN) ?? UNKNOWN;
  });
}

/** ConcatV2: the axis is the last input. */
export const concatV2: ShapeRule = (context) => {
  const last = context.node.inputs.length - 1;
  return joined(context, [...Array(last).keys()], last);
};

/** Concat: the axis is the first input. */
export const concat: ShapeRule = (context) =>
  joined(
    context,
    [...Array(context.node.inputs.length - 1).keys()].map((index) => index + 1),
    0,
  );

/** Pack: stacks tensors of one shape along a new axis. */
export const pack: ShapeRule = ({ node, shape }) => {
  const each = node.inputs.map((_, index) => shape(index)).reduce(sharedShape, undefined);
  const at = each && axisIndex(attrInt(node, 'axis') ?? 0, each.length + 1);
  return at === undefined ? undefined : [...each!.slice(0, at), node.inputs.length, ...each!.slice(at)];
};

/** Unpack: one tensor per index of the axis, without that axis. */
export const unpack: ShapeRule = ({ node, shape }) => {
  const x = shape(0);
  const at = x && axisIndex(attrInt(node, 'axis') ?? 0, x.length);
  const part = at === undefined ? undefined : x!.filter((_, axis) => axis !== at);
  return () => part;
};

/** Split(axis, x): equal parts. */
export const split: ShapeRule = (context) => {
  const x = context.shape(1);
  const count = attrInt(context.node, 'num_split');
  const at = x && axisIndex(scalar(context, 0), x.length);
  const part = x?.map((size, axis) => {
    if (at === undefined || count === undefined) return UNKNOWN;
    return axis === at ? sizeOf((of) => of / count, size) : size;
  });
  return () => part;
};

/** SplitV(x, sizes, axis); one of the sizes may be -1, the rest. */
export const splitV: ShapeRule = (context) => {
  const x = context.shape(0);
  const sizes = ints(context, 1);
  const at = x && axisIndex(scalar(context, 2), x.length);
  if (!x) return undefined;
  if (at === undefined) return () => unknownSizes(x.length);
  return (port) => x.map((size, axis) => (axis === at ? partSize(size, sizes, port) : size));
};

/** The size of a part; the list has -1 for the rest. */
function partSize(whole: number, sizes: readonly number[] | undefined, part: number): number {
  const size = sizes?.[part] ?? UNKNOWN;
  if (!sizes || size >= 0) return size;
  return sizeOf((of) => of - sizes.reduce((sum, each) => sum + Math.max(each, 0), 0), whole);
}

/** Tile: each dimension is repeated. */
export const tile: ShapeRule = (context) => {
  const x = context.shape(0);
  const times = shapeGiven(context, 1);
  return x?.map((size, axis) => sizeOf((of, n) => of * n, size, times?.[axis] ?? UNKNOWN));
};

/** Gather: rows of input 0. */
export const gather: ShapeRule = (context) => {
  const [params, indices] = [context.shape(0), context.shape(1)];
  return params && indices && params.length > 0 ? [...indices, ...params.slice(1)] : undefined;
};

/** GatherV2: parts of input 0 along the axis of input 2. */
export const gatherV2: ShapeRule = (context) => {
  const [params, indices] = [context.shape(0), context.shape(1)];
  const axis = params && axisIndex(scalar(context, 2), params.length);
  if (!params || !indices || axis === undefined) return undefined;
  const batch = attrInt(context.node, 'batch_dims') ?? 0;
  return [...params.slice(0, axis), ...indices.slice(batch), ...params.slice(axis + 1)];
};

/** GatherNd: the last dimension of the indices selects the position. */
export const gatherNd: ShapeRule = ({ shape }) => {
  const [params, indices] = [shape(0), shape(1)];
  const depth = indices?.at(-1) ?? UNKNOWN;
  return params && indices && depth >= 0 ? [...indices.slice(0, -1), ...params.slice(depth)] : undefined;
};

/** OneHot: a new axis, input 1 long. */
export const oneHot: ShapeRule = (context) => {
  const indices = context.shape(0);
  const at = indices && axisIndex(attrInt(context.node, 'axis') ?? -1, indices.length + 1);
  return at === undefined
    ? undefined
    : [...indices!.slice(0, at), scalar(context, 1) ?? UNKNOWN, ...indices!.slice(at)];
};
