import { attrInt, attrInts, attrString } from '../../graph/attrs.js';
import type { Node } from '../../graph/node.js';
import { ints, type Shape, type ShapeContext, type ShapeRule, scalar, shapeGiven, sizeOf, UNKNOWN } from './rule.js';

/** Index of the channel dimension for a data_format and rank: NHWC, NDHWC and NWC have it last. */
export function channelAxis(node: Node, rank: number): number {
  return (attrString(node, 'data_format') ?? 'NHWC').startsWith('NC') ? 1 : rank - 1;
}

/** Whether the data_format splits the channels (NCHW_VECT_C), which the rules do not support. */
export function isVectorised(node: Node): boolean {
  return attrString(node, 'data_format')?.includes('VECT') ?? false;
}

/** Output size of a window that moves over `size` elements. */
function windowed(size: number, window: number, stride: number, padding: string, pads: number): number {
  if (size < 0 || window < 0) return UNKNOWN;
  if (padding === 'SAME') return Math.ceil(size / stride);
  return Math.max(0, Math.ceil((size + pads - window + 1) / stride));
}

interface Windows {
  /** Size of the window in each spatial dimension. */
  readonly window: readonly number[];
  readonly strides: readonly number[];
  /** Size of the output. */
  readonly channels: number;
}

/** Shape of a convolution's or a pool's output. */
function slide(node: Node, x: Shape, { window, strides, channels }: Windows): Shape {
  if (!x || isVectorised(node) || window.length !== x.length - 2) return undefined;
  const channel = channelAxis(node, x.length);
  const dilations = attrInts(node, 'dilations') ?? [];
  const pads = attrInts(node, 'explicit_paddings') ?? [];
  const padding = attrString(node, 'padding') ?? 'VALID';
  let spatial = 0;
  return x.map((size, axis) => {
    if (axis === 0) return size;
    if (axis === channel) return channels;
    const extent = (window[spatial++]! - 1) * (dilations[axis] ?? 1) + 1;
    return windowed(size, extent, strides[axis] ?? 1, padding, (pads[2 * axis] ?? 0) + (pads[2 * axis + 1] ?? 0));
  });
}

function convolved(context: ShapeContext, channelsOf: (kernel: readonly number[]) => number): Shape {
  const { node } = context;
  const kernel = context.shape(1);
  if (!kernel) return context.shape(0)?.map(() => UNKNOWN);
  const strides = attrInts(node, 'strides') ?? [];
  return slide(node, context.shape(0), { window: kernel.slice(0, -2), strides, channels: channelsOf(kernel) });
}

/** Conv2D, Conv3D: the kernel is [...window, in, out]. */
export const convolution: ShapeRule = (context) => convolved(context, (kernel) => kernel.at(-1)!);

/** DepthwiseConv2dNative: the kernel is [...window, in, multiplier]. */
export const depthwise: ShapeRule = (context) =>
  convolved(context, (kernel) => sizeOf((a, b) => a * b, kernel.at(-2)!, kernel.at(-1)!));

/** Conv2DBackpropInput and similar ops: the shape is input 0, as far as known; the kernel is [...window, out, in]. */
export const transposedConvolution: ShapeRule = (context) => {
  const sizes = shapeGiven(context, 0);
  const [kernel, y] = [context.shape(1), context.shape(2)];
  const rank = sizes?.length ?? y?.length;
  if (rank === undefined || isVectorised(context.node)) return sizes;
  const channel = channelAxis(context.node, rank);
  return Array.from({ length: rank }, (_, axis) => {
    const size = sizes?.[axis] ?? UNKNOWN;
    if (size >= 0) return size;
    if (axis === channel) return kernel?.at(-2) ?? UNKNOWN;
    return axis === 0 ? (y?.[0] ?? UNKNOWN) : UNKNOWN;
  });
};

function pooled(
  node: Node,
  x: Shape,
  sizes: readonly number[] | undefined,
  strides: readonly number[] | undefined,
): Shape {
  if (!x || !sizes || !strides || sizes.length !== x.length) return undefined;
  const channel = channelAxis(node, x.length);
  // A window over channels (possible in max pooling) is not supported.
  if (sizes[channel] !== 1 || sizes[0] !== 1) return undefined;
  const window = sizes.filter((_, axis) => axis !== 0 && axis !== channel);
  return slide(node, x, { window, strides, channels: x[channel]! });
}

/** MaxPool, AvgPool, in two and three dimensions. */
export const pool: ShapeRule = ({ node, shape }) =>
  pooled(node, shape(0), attrInts(node, 'ksize'), attrInts(node, 'strides') ?? []);

/** MaxPoolV2: window and strides are inputs. */
export const poolV2: ShapeRule = (context) =>
  pooled(context.node, context.shape(0), ints(context, 1), ints(context, 2));

/** MaxPoolWithArgmax: the maxima and their positions. */
export const poolWithArgmax: ShapeRule = (context) => {
  const shape = pool(context) as Shape;
  return [shape, shape];
};

/** Resize ops: images are NHWC; input 1 is [height, width]. */
export const resize: ShapeRule = (context) => {
  const x = context.shape(0);
  const size = shapeGiven(context, 1);
  return x?.length === 4 ? [x[0]!, size?.[0] ?? UNKNOWN, size?.[1] ?? UNKNOWN, x[3]!] : undefined;
};

/** FusedBatchNorm: y, then four tensors with one element per channel; further outputs are for the gradient. */
export const batchNorm: ShapeRule = (context) => {
  const channels = context.shape(1);
  return [context.shape(0), channels, channels, channels, channels, undefined];
};

/** DepthToSpace and SpaceToDepth, NHWC or NCHW; `factor` is their effect on the height. */
export function blocks(isToSpace: boolean): ShapeRule {
  return ({ node, shape }) => {
    const x = shape(0);
    const block = attrInt(node, 'block_size');
    if (x?.length !== 4 || !block || isVectorised(node)) return undefined;
    const channel = channelAxis(node, 4);
    return x.map((size, axis) => {
      if (axis === 0) return size;
      const grows = (axis === channel) !== isToSpace;
      const factor = axis === channel ? block * block : block;
      return sizeOf((of) => (grows ? of * factor : of / factor), size);
    });
  };
}

/** SpaceToBatchND(x, block_shape, paddings): moves the positions of a block into the batch. */
export const spaceToBatch: ShapeRule = (context) =>
  blockBatches(
    context,
    (size, block, margin) => (size + margin) / block,
    (b, n) => b * n,
  );

/** BatchToSpaceND(x, block_shape, crops). */
export const batchToSpace: ShapeRule = (context) =>
  blockBatches(
    context,
    (size, block, margin) => size * block - margin,
    (b, n) => b / n,
  );

function blockBatches(
  context: ShapeContext,
  spatial: (size: number, block: number, margin: number) => number,
  batch: (size: number, blocks: number) => number,
): Shape {
  const x = context.shape(0);
  const [block, margins] = [ints(context, 1), ints(context, 2)];
  if (!x || !block || !margins || margins.length !== 2 * block.length || block.length >= x.length) return undefined;
  const count = block.reduce((product, size) => product * size, 1);
  return x.map((size, axis) => {
    if (axis === 0) return sizeOf((of) => batch(of, count), size);
    if (axis > block.length) return size;
    const margin = margins[2 * axis - 2]! + margins[2 * axis - 1]!;
    return sizeOf((of) => spatial(of, block[axis - 1]!, margin), size);
  });
}

/** TopK, TopKV2: the last dimension has k elements; values and indices. */
export const topK: ShapeRule = (context) => {
  const x = context.shape(0);
  const k = attrInt(context.node, 'k') ?? scalar(context, 1) ?? UNKNOWN;
  const shape = x && x.length > 0 ? [...x.slice(0, -1), k] : undefined;
  return [shape, shape];
};
