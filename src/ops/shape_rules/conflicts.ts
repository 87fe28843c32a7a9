import { attrBool, attrInt, attrInts, attrShape } from '../../graph/attrs.js';
import { sharedShape } from './elementwise.js';
import { axisIndex, ints, type Shape, type ShapeContext, type ShapeRule, scalar, shapeGiven, UNKNOWN } from './rule.js';
import {
  blocks,
  channelAxis,
  isVectorised,
  type SlidingWindow,
  slidOver,
  windowOfKernel,
  windowOfPool,
} from './windows.js';

/**
 * Whether the known sizes of the inputs of a node contradict each other, so that TensorFlow refuses the node; the shapes that
 * do, if they are not those of the inputs: the window of a pool, the target of a Reshape.
 */
export type ShapeConflict = (context: ShapeContext) => boolean | readonly Shape[];

/** Whether a window is larger than what it moves over: TensorFlow refuses a negative size. */
function isLarger(context: ShapeContext, x: Shape, window: SlidingWindow | undefined): boolean {
  return slidOver(context.node, x, window).some(({ size, extent }) => size >= 0 && extent > size);
}

/** Whether two known sizes differ. */
function differ(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && a >= 0 && b >= 0 && a !== b;
}

function count(shape: readonly number[] | undefined): number | undefined {
  if (!shape || shape.some((size) => size < 0)) return undefined;
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether two shapes cannot be those of the same tensor. @param open - an axis along which they may differ */
function unlike(a: Shape, b: Shape, open?: number): boolean {
  if (!a || !b) return false;
  return a.length !== b.length || a.some((size, axis) => axis !== open && differ(size, b[axis]));
}

/** Two of the shapes, which should be those of the same tensor and are not. */
function unlikePair(shapes: readonly Shape[], open?: number): readonly [Shape, Shape] | undefined {
  let common: Shape;
  for (const shape of shapes) {
    if (unlike(common, shape, open)) return [shapes.find((each) => unlike(each, shape, open)), shape];
    common = sharedShape(common, shape);
  }
  return undefined;
}

/** Inputs 0 and 1 must be broadcast against each other: sizes are equal, or one of them is 1. */
export const notBroadcast: ShapeConflict = ({ node, shape }) => {
  const [a, b] = [shape(0), shape(1)];
  // Equal and NotEqual may output false for shapes that do not match.
  if (!a || !b || attrBool(node, 'incompatible_shape_error') === false) return false;
  return areUnbroadcast(a, b);
};

function areUnbroadcast(a: readonly number[], b: readonly number[]): boolean {
  const rank = Math.min(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => [a.at(-1 - i)!, b.at(-1 - i)!]).some(
    ([x, y]) => differ(x, y) && x !== 1 && y !== 1,
  );
}

/** All inputs must have one shape. */
export const notAlike: ShapeConflict = ({ node, shape }) =>
  unlikePair(node.inputs.map((_, index) => shape(index))) !== undefined;

/** MatMul: two matrices, and their inner sizes are equal. */
export const notMultiplied: ShapeConflict = ({ node, shape }) => {
  const [a, b] = [shape(0), shape(1)];
  const isMatrix = (of: Shape) => of === undefined || of.length === 2;
  if (!isMatrix(a) || !isMatrix(b)) return true;
  return differ(a?.[attrBool(node, 'transpose_a') ? 0 : 1], b?.[attrBool(node, 'transpose_b') ? 1 : 0]);
};

/** BatchMatMul: the inner sizes are equal, and the dimensions before the matrices are equal (in V1) or broadcast. */
export const notBatchMultiplied: ShapeConflict = ({ node, shape }) => {
  const [a, b] = [shape(0), shape(1)];
  if (!a || !b) return false;
  if (a.length < 2 || b.length < 2) return true;
  if (differ(a.at(attrBool(node, 'adj_x') ? -2 : -1), b.at(attrBool(node, 'adj_y') ? -1 : -2))) return true;
  const areOthers = node.op === 'BatchMatMul' ? unlike : areUnbroadcast;
  return areOthers(a.slice(0, -2), b.slice(0, -2));
};

/** BiasAdd: one number for each channel. */
export const notOnePerChannel: ShapeConflict = ({ node, shape }) => {
  const [x, bias] = [shape(0), shape(1)];
  if (!bias || isVectorised(node)) return false;
  return bias.length !== 1 || differ(bias[0], x?.[channelAxis(node, x.length)]);
};

/** Conv2D, Conv3D: the input has the channels of the kernel, or a multiple of them; the output can be divided into as many groups. */
export const notConvolved: ShapeConflict = (context) => {
  const { node, shape } = context;
  const [x, kernel] = [shape(0), shape(1)];
  if (!x || !kernel || isVectorised(node)) return false;
  const [channels, wanted, made] = [x[channelAxis(node, x.length)]!, kernel.at(-2)!, kernel.at(-1)!];
  if (x.length !== kernel.length) return true;
  if (channels > 0 && wanted > 0 && (channels % wanted !== 0 || (made >= 0 && made % (channels / wanted) !== 0)))
    return true;
  return isLarger(context, x, windowOfKernel(context));
};

/** DepthwiseConv2dNative: the input has the channels of the kernel. */
export const notDepthwise: ShapeConflict = (context) => {
  const { node, shape } = context;
  const [x, kernel] = [shape(0), shape(1)];
  if (!x || !kernel || isVectorised(node)) return false;
  if (x.length !== kernel.length || differ(x[channelAxis(node, x.length)], kernel.at(-2))) return true;
  return isLarger(context, x, windowOfKernel(context));
};

/** A pool, with a constant window: one for each dimension, none larger than the input. */
export const notPooled: ShapeConflict = (context) => {
  const x = context.shape(0);
  const window = windowOfPool(context);
  if (!x || !window || isVectorised(context.node)) return false;
  return (window.length !== x.length || isLarger(context, x, window)) && [x, window.sizes];
};

/**
 * Conv2DBackpropInput and similar ops: the tensor has the channels that the kernel outputs, the batch of the result, and the size
 * that a convolution of the result has.
 */
export const notTransposed: ShapeConflict = (context) => {
  const { node, shape } = context;
  const [kernel, y] = [shape(1), shape(2)];
  const result = shapeGiven(context, 0);
  if (!y || isVectorised(node)) return false;
  const conflict = [result, kernel, y];
  const channel = channelAxis(node, y.length);
  if (differ(y[channel], kernel?.at(-1)) || differ(result?.[0], y[0])) return conflict;
  if (!kernel || !result) return false;
  if (kernel.length !== y.length || result.length !== y.length) return conflict;
  return (
    slidOver(node, result, windowOfKernel(context)).some(({ axis, windows }) => differ(windows, y[axis])) && conflict
  );
};

/** FusedBatchNorm: scale, offset and (at inference) statistics have one number for each channel. */
export const notNormalized: ShapeConflict = ({ node, shape }) => {
  const x = shape(0);
  const channels = x?.[channelAxis(node, x.length)];
  const isTraining = attrBool(node, 'is_training') ?? true;
  const parameters = [1, 2, ...(isTraining ? [] : [3, 4])].map(shape);
  return (
    parameters.some((each) => each && each.length !== 1) || unlikePair([...parameters, x && [channels!]]) !== undefined
  );
};

/** Reshape: the same number of elements. */
export const notReshaped: ShapeConflict = (context) => {
  const elements = count(context.shape(0));
  const target = ints(context, 1);
  if (elements === undefined || !target) return false;
  const known = target.filter((size) => size >= 0).reduce((product, size) => product * size, 1);
  // One size may be unknown: -1, which TensorFlow computes.
  const differs = target.some((size) => size < 0) ? known > 0 && elements % known !== 0 : known !== elements;
  return differs && [context.shape(0), target];
};

/** Concat, ConcatV2: all parts have one rank, and one size along the other axes. */
export const notJoined: ShapeConflict = (context) => {
  const last = context.node.inputs.length - 1;
  const [along, from, to] = context.node.op === 'Concat' ? [0, 1, last] : [last, 0, last - 1];
  const shapes = Array.from({ length: to - from + 1 }, (_, index) => context.shape(from + index));
  const rank = shapes.find((shape) => shape !== undefined)?.length;
  const axis = rank === undefined ? undefined : axisIndex(scalar(context, along), rank);
  return axis === undefined ? false : (unlikePair(shapes, axis) ?? false);
};

/** Select: both branches have one shape; the condition has it as well, or is one number, or one for each row. */
export const notSelected: ShapeConflict = ({ shape }) => {
  const [condition, a, b] = [shape(0), shape(1), shape(2)];
  if (unlike(a, b)) return true;
  const branch = sharedShape(a, b);
  if (!condition || !branch || condition.length === 0) return false;
  return condition.length === 1 ? differ(condition[0], branch[0]) : unlike(condition, branch);
};

/** Squeeze: the axes have the size 1. */
export const notSqueezed: ShapeConflict = ({ node, shape }) => {
  const x = shape(0);
  const axes = attrInts(node, 'squeeze_dims') ?? [];
  return x !== undefined && axes.some((axis) => differ(x.at(axis) ?? 0, 1));
};

/** Split: the axis is a multiple of the number of pieces. */
export const notSplit: ShapeConflict = (context) => {
  const x = context.shape(1);
  const axis = x && axisIndex(scalar(context, 0), x.length);
  const size = axis === undefined ? -1 : x![axis]!;
  return size >= 0 && size % (attrInt(context.node, 'num_split') ?? 1) !== 0;
};

/** A placeholder with a default value: the value has the declared shape. */
export const notDeclared: ShapeConflict = ({ node, shape }) =>
  unlike(shape(0), attrShape(node, 'shape')) && [shape(0), attrShape(node, 'shape')];

/** Ops on images: four dimensions. */
export const notImages: ShapeConflict = ({ shape }) => (shape(0)?.length ?? 4) !== 4;

/** Transpose: an order of all dimensions. */
export const notPermuted: ShapeConflict = (context) => {
  const x = context.shape(0);
  const order = ints(context, 1);
  return x !== undefined && order !== undefined && order.length !== x.length && [x, order];
};

/** Pad: two numbers for each dimension. */
export const notPadded: ShapeConflict = ({ shape }) => differ(shape(0)?.length, shape(1)?.[0]);

/** Unpack: as many outputs as the axis is long. */
export const notUnpacked: ShapeConflict = ({ node, shape }) => {
  const x = shape(0);
  const axis = x && axisIndex(attrInt(node, 'axis') ?? 0, x.length);
  if (!x) return false;
  return axis === undefined || differ(x[axis], attrInt(node, 'num'));
};

/** SplitV: the parts are as long as the axis. */
export const notSplitBySizes: ShapeConflict = (context) => {
  const x = context.shape(0);
  const sizes = ints(context, 1);
  const axis = x && axisIndex(scalar(context, 2), x.length);
  if (axis === undefined || !sizes || x![axis]! < 0) return false;
  const sum = sizes.reduce((all, size) => all + Math.max(size, 0), 0);
  return (sizes.some((size) => size < 0) ? sum > x![axis]! : sum !== x![axis]) && [x, sizes];
};

/** Slice: the part is within the tensor. */
export const notSliced: ShapeConflict = (context) => {
  const x = context.shape(0);
  const [begin, sizes] = [ints(context, 1), ints(context, 2)];
  if (!x || !begin || !sizes) return false;
  if (begin.length !== x.length || sizes.length !== x.length) return true;
  return x.some((size, axis) => size >= 0 && begin[axis]! + Math.max(sizes[axis]!, 0) > size) && [x, begin, sizes];
};

/** StridedSlice: an index that takes one entry of a dimension is within it. */
export const notIndexed: ShapeConflict = (context) => {
  const { node } = context;
  const x = context.shape(0);
  const begin = ints(context, 1);
  const mask = (key: string) => attrInt(node, key) ?? 0;
  if (!x || !begin || mask('ellipsis_mask') !== 0 || mask('new_axis_mask') !== 0) return false;
  if (begin.length > x.length) return [x, begin];
  const isOutside = (size: number, at: number) => size >= 0 && (at >= size || at < -size);
  const indexed = mask('shrink_axis_mask') & ~mask('begin_mask');
  return begin.some((at, axis) => (indexed >> axis) % 2 === 1 && isOutside(x[axis]!, at)) && [x, begin];
};

/** Ops on blocks of positions: what the rule of their shape divides are multiples of the blocks. */
export function notDivided(rule: ShapeRule): ShapeConflict {
  return (context) => {
    const x = context.shape(0);
    const sizes = rule(context) as Shape;
    return x !== undefined && sizes !== undefined && x.some((size, axis) => size >= 0 && sizes[axis] === UNKNOWN);
  };
}

/** DepthToSpace, SpaceToDepth: four dimensions that can be divided into blocks. */
export function notBlocks(isToSpace: boolean): ShapeConflict {
  const undivided = notDivided(blocks(isToSpace));
  return (context) => (!isVectorised(context.node) && notImages(context)) || undivided(context);
}
