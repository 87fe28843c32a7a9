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

/** A window that moves over the spatial dimensions. */
export interface SlidingWindow {
  /** The rank of the tensors that it fits. */
  readonly length: number;
  /** Its sizes, as the op has them: of a kernel, or a size for each dimension. */
  readonly sizes: readonly number[];
  /** Its size in each spatial dimension. */
  readonly window: readonly number[];
  /** Steps in each dimension. */
  readonly strides: readonly number[];
}

/** How a window moves along one spatial dimension. */
interface Slide {
  readonly axis: number;
  /** Size of the dimension with its padding, which the window must not exceed; -1 if unknown, or if padding follows from the window. */
  readonly size: number;
  /** Size of the window with its dilation; -1 if unknown. */
  readonly extent: number;
  /** Number of its positions; -1 if unknown. */
  readonly windows: number;
}

/** How a window moves over a tensor, for each spatial dimension. Empty if it does not fit. */
export function slidOver(node: Node, x: Shape, of: SlidingWindow | undefined): Slide[] {
  if (!x || !of || isVectorised(node) || of.window.length !== x.length - 2) return [];
  const channel = channelAxis(node, x.length);
  const dilations = attrInts(node, 'dilations') ?? [];
  const pads = attrInts(node, 'explicit_paddings') ?? [];
  const isSame = attrString(node, 'padding') === 'SAME';
  const axes = x.map((_, axis) => axis).filter((axis) => axis !== 0 && axis !== channel);
  return axes.map((axis, spatial) => {
    const [of1, window] = [x[axis]!, of.window[spatial]!];
    const size = of1 < 0 || isSame ? UNKNOWN : of1 + (pads[2 * axis] ?? 0) + (pads[2 * axis + 1] ?? 0);
    const extent = window < 0 ? UNKNOWN : (window - 1) * (dilations[axis] ?? 1) + 1;
    const stride = of.strides[axis] ?? 1;
    const isKnown = of1 >= 0 && extent >= 0;
    const places = isSame ? Math.ceil(of1 / stride) : Math.max(0, Math.ceil((size - extent + 1) / stride));
    return { axis, size, extent, windows: isKnown ? places : UNKNOWN };
  });
}

/** Shape of a convolution's or a pool's output. @param channels - size of the output */
function slide(node: Node, x: Shape, window: SlidingWindow, channels: number): Shape {
  if (!x || isVectorised(node) || window.window.length !== x.length - 2) return undefined;
  const shape = [...x];
  shape[channelAxis(node, x.length)] = channels;
  for (const { axis, windows } of slidOver(node, x, window)) shape[axis] = windows;
  return shape;
}

/** The window of a convolution: its kernel is [...window, in, out]. */
export function windowOfKernel({ node, shape }: ShapeContext): SlidingWindow | undefined {
  const kernel = shape(1);
  if (!kernel || kernel.length < 3) return undefined;
  const strides = attrInts(node, 'strides') ?? [];
  return { length: kernel.length, sizes: kernel, window: kernel.slice(0, -2), strides };
}

function convolved(context: ShapeContext, channelsOf: (kernel: readonly number[]) => number): Shape {
  const kernel = context.shape(1);
  if (!kernel) return context.shape(0)?.map(() => UNKNOWN);
  const window = windowOfKernel(context);
  return window && slide(context.node, context.shape(0), window, channelsOf(kernel));
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

/** The window of a pool; MaxPoolV2 has it, and its strides, as inputs. A window over channels (possible in max pooling) is not supported. */
export function windowOfPool(context: ShapeContext): SlidingWindow | undefined {
  const { node } = context;
  const sizes = attrInts(node, 'ksize') ?? ints(context, 1);
  const strides = attrInts(node, 'strides') ?? ints(context, 2);
  if (!sizes || !strides) return undefined;
  const channel = channelAxis(node, sizes.length);
  if (sizes[channel] !== 1 || sizes[0] !== 1) return undefined;
  return {
    length: sizes.length,
    sizes,
    window: sizes.filter((_, axis) => axis !== 0 && axis !== channel),
    strides,
  };
}

/** MaxPool, AvgPool, in two and three dimensions, and MaxPoolV2. */
export const pool: ShapeRule = (context) => {
  const x = context.shape(0);
  const window = windowOfPool(context);
  if (!x || window?.length !== x.length) return undefined;
  return slide(context.node, x, window, x[channelAxis(context.node, x.length)]!);
};

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
