import { attrBool, attrInt, attrInts } from '../../graph/attrs.js';
import { axisIndex, ints, type Shape, type ShapeContext, scalar } from './rule.js';
import { channelAxis, isVectorised } from './windows.js';

/** Whether the known sizes of the inputs of a node contradict each other, so that TensorFlow refuses the node. */
export type ShapeConflict = (context: ShapeContext) => boolean;

/** Whether two known sizes differ. */
function differ(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && a >= 0 && b >= 0 && a !== b;
}

function count(shape: readonly number[] | undefined): number | undefined {
  if (!shape || shape.some((size) => size < 0)) return undefined;
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether two shapes cannot be those of the same tensor. */
function unlike(a: Shape, b: Shape): boolean {
  if (!a || !b) return false;
  return a.length !== b.length || a.some((size, axis) => differ(size, b[axis]));
}

/** Inputs 0 and 1 must be broadcast against each other: sizes are equal, or one of them is 1. */
export const notBroadcast: ShapeConflict = ({ node, shape }) => {
  const [a, b] = [shape(0), shape(1)];
  // Equal and NotEqual may output false for shapes that do not match.
  if (!a || !b || attrBool(node, 'incompatible_shape_error') === false) return false;
  const rank = Math.min(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => [a.at(-1 - i)!, b.at(-1 - i)!]).some(
    ([x, y]) => differ(x, y) && x !== 1 && y !== 1,
  );
};

/** All inputs must have one shape. */
export const notAlike: ShapeConflict = ({ node, shape }) => {
  const shapes = node.inputs.map((_, index) => shape(index)).filter((each) => each !== undefined);
  return shapes.some((each) => unlike(shapes[0], each));
};

/** MatMul: two matrices, and their inner sizes are equal. */
export const notMultiplied: ShapeConflict = ({ node, shape }) => {
  const [a, b] = [shape(0), shape(1)];
  const isMatrix = (of: Shape) => of === undefined || of.length === 2;
  if (!isMatrix(a) || !isMatrix(b)) return true;
  return differ(a?.[attrBool(node, 'transpose_a') ? 0 : 1], b?.[attrBool(node, 'transpose_b') ? 1 : 0]);
};

/** BatchMatMul: the inner sizes are equal. */
export const notBatchMultiplied: ShapeConflict = ({ node, shape }) => {
  const [a, b] = [shape(0), shape(1)];
  return differ(a?.at(attrBool(node, 'adj_x') ? -2 : -1), b?.at(attrBool(node, 'adj_y') ? -1 : -2));
};

/** BiasAdd: one number for each channel. */
export const notOnePerChannel: ShapeConflict = ({ node, shape }) => {
  const [x, bias] = [shape(0), shape(1)];
  if (!bias || isVectorised(node)) return false;
  return bias.length !== 1 || differ(bias[0], x?.[channelAxis(node, x.length)]);
};

/** Conv2D, Conv3D: the input has the channels of the kernel, or a multiple of them (groups). */
export const notConvolved: ShapeConflict = ({ node, shape }) => {
  const [x, kernel] = [shape(0), shape(1)];
  if (!x || !kernel || isVectorised(node)) return false;
  const [channels, wanted] = [x[channelAxis(node, x.length)]!, kernel.at(-2)!];
  return x.length !== kernel.length || (channels >= 0 && wanted > 0 && channels % wanted !== 0);
};

/** DepthwiseConv2dNative: the input has the channels of the kernel. */
export const notDepthwise: ShapeConflict = ({ node, shape }) => {
  const [x, kernel] = [shape(0), shape(1)];
  return differ(x?.[channelAxis(node, x.length)], kernel?.at(-2));
};

/** Conv2DBackpropInput and similar ops: the tensor has the channels that the kernel outputs. */
export const notTransposed: ShapeConflict = ({ node, shape }) => {
  const [kernel, y] = [shape(1), shape(2)];
  return differ(y?.[channelAxis(node, y.length)], kernel?.at(-1));
};

/** FusedBatchNorm: scale, offset and (at inference) statistics have one number for each channel. */
export const notNormalized: ShapeConflict = ({ node, shape }) => {
  const x = shape(0);
  const channels = x?.[channelAxis(node, x.length)];
  const isTraining = attrBool(node, 'is_training') ?? true;
  return node.inputs.some((_, index) => {
    const each = index === 0 ? undefined : shape(index);
    if (!each) return false;
    const mayBeEmpty = index > 2 && isTraining && each[0] === 0;
    return each.length !== 1 || (!mayBeEmpty && (differ(each[0], channels) || differ(each[0], shape(1)?.[0])));
  });
};

/** Reshape: the same number of elements. */
export const notReshaped: ShapeConflict = (context) => {
  const elements = count(context.shape(0));
  const target = ints(context, 1);
  if (elements === undefined || !target) return false;
  const known = target.filter((size) => size >= 0).reduce((product, size) => product * size, 1);
  // One size may be unknown: -1, which TensorFlow computes.
  return target.some((size) => size < 0) ? known > 0 && elements % known !== 0 : known !== elements;
};

/** ConcatV2: all inputs have one rank, and one size along the other axes. */
export const notJoined: ShapeConflict = (context) => {
  const last = context.node.inputs.length - 1;
  const shapes = Array.from({ length: last }, (_, index) => context.shape(index)).filter((each) => each !== undefined);
  const [first, ...others] = shapes;
  const axis = first && axisIndex(scalar(context, last), first.length);
  if (!first || axis === undefined) return false;
  return others.some(
    (each) => each.length !== first.length || each.some((size, i) => i !== axis && differ(size, first[i])),
  );
};

/** Select: both branches have one shape. */
export const notSelected: ShapeConflict = ({ shape }) => unlike(shape(1), shape(2));

/** Squeeze: the axes have the size 1. */
export const notSqueezed: ShapeConflict = ({ node, shape }) => {
  const x = shape(0);
  const axes = attrInts(node, 'squeeze_dims') ?? [];
  return axes.some((axis) => differ(x?.at(axis), 1));
};

/** Split: the axis is a multiple of the number of pieces. */
export const notSplit: ShapeConflict = (context) => {
  const x = context.shape(1);
  const axis = x && axisIndex(scalar(context, 0), x.length);
  const size = axis === undefined ? -1 : x![axis]!;
  return size >= 0 && size % (attrInt(context.node, 'num_split') ?? 1) !== 0;
};
