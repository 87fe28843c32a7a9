import { attrBool, attrInts, attrString, attrType } from '../../graph/attrs.js';
import type { Node } from '../../graph/node.js';
import { elementCount } from '../../graph/tensor.js';
import { opsWith } from '../../ops/meaning.js';
import type { Shape } from '../values/shapes.js';
import { isFloat } from '../values/vectors.js';
import type { FoldReason } from './reasons.js';
import type { ChannelTerm } from './scaled_tensor.js';
import { type FoldView, typeOf } from './view.js';

/** An op that multiplies its data by a kernel and sums: scaling a channel of its result means scaling a part of the kernel. */
export interface LinearOp {
  readonly node: Node;
  /** Index of the input that holds the kernel, and of the one that holds the data. */
  readonly kernel: number;
  readonly data: number;
  readonly kernelShape: readonly number[];
  /** Dimension of the result's channels, counted from the end. */
  readonly axis: number;
  /** Number of channels of the result; undefined if the kernel does not determine it. */
  readonly channels: number | undefined;
  /** The output channel of each element of the kernel; undefined if the number of channels is impossible. */
  outputTerms(channels: number): readonly ChannelTerm[] | undefined;
  /** The input channel of each element of the kernel; undefined if the number of channels is impossible. */
  inputTerms(channels: number): readonly ChannelTerm[] | undefined;
  /** Why adding a constant to the data does not add a constant to the result; undefined if it does. */
  readonly whyShiftUneven: FoldReason | undefined;
  /** Dimension of the data's channels, counted from the end; undefined for other layouts. */
  readonly dataAxis: number | undefined;
}

/** A node as a linear op; undefined if it is not linear, or the shape of its kernel is unknown. */
export function linearOp(view: FoldView, node: Node): LinearOp | undefined {
  const make = MAKERS.get(node.op);
  const kernelShape = node.inputs[1] && view.shapeOf(node.inputs[1]);
  if (!make || !kernelShape || kernelShape.length < 2 || kernelShape.some((size) => size < 1)) return undefined;
  const dtype = typeOf(node);
  if (!isFloat(dtype) || (attrType(node, 'Ta') ?? dtype) !== dtype) return undefined;
  return make(node, kernelShape, view.shapeOf({ node: node.name, port: 0 }));
}

type Make = (node: Node, kernel: readonly number[], result: Shape) => LinearOp | undefined;

function term(stride: number, size: number, times = 1): ChannelTerm {
  return { stride, size, times };
}

/** Channels are numbered within a group first: `within` is the number in the group, `group` the group. */
function grouped(within: ChannelTerm, group: (groups: number) => ChannelTerm) {
  return (channels: number): readonly ChannelTerm[] | undefined => {
    if (channels === within.size) return [within];
    const groups = channels / within.size;
    return Number.isInteger(groups) ? [within, group(groups)] : undefined;
  };
}

function layoutAxis(node: Node): number {
  const format = attrString(node, 'data_format') ?? 'NHWC';
  return format.startsWith('NC') ? 1 - format.length : -1;
}

/** Why results at the borders differ: the data is padded with zeros. */
function zeroPadding(node: Node, window: readonly number[]): FoldReason | undefined {
  const isPadded = (attrInts(node, 'explicit_paddings') ?? []).some((pad) => pad !== 0);
  const padding = attrString(node, 'padding');
  const isWhole = padding === 'VALID' || padding === 'EXPLICIT' || window.every((size) => size === 1);
  return isWhole && !isPadded ? undefined : { code: 'padding_sees_shift', node: node.name, op: node.op };
}

const convolution: Make = (node, kernel) => {
  const [inputs, outputs] = [kernel.at(-2)!, kernel.at(-1)!];
  const axis = layoutAxis(node);
  return {
    node,
    kernel: 1,
    data: 0,
    kernelShape: kernel,
    axis,
    channels: outputs,
    outputTerms: (channels) => (channels === outputs ? [term(1, outputs)] : undefined),
    inputTerms: (channels) => {
      const groups = channels / inputs;
      if (outputs % groups !== 0) return undefined;
      return grouped(term(outputs, inputs), () => term(outputs / groups, groups, inputs))(channels);
    },
    whyShiftUneven: zeroPadding(node, kernel.slice(0, -2)),
    dataAxis: axis,
  };
};

const depthwise: Make = (node, kernel) => {
  const [inputs, multiplier] = [kernel.at(-2)!, kernel.at(-1)!];
  const axis = layoutAxis(node);
  return {
    node,
    kernel: 1,
    data: 0,
    kernelShape: kernel,
    axis,
    channels: inputs * multiplier,
    outputTerms: (channels) => (channels === inputs * multiplier ? [term(1, channels)] : undefined),
    inputTerms: (channels) => (channels === inputs ? [term(multiplier, inputs)] : undefined),
    whyShiftUneven: zeroPadding(node, kernel.slice(0, -2)),
    dataAxis: axis,
  };
};

/** The kernel of a transposed convolution is that of the convolution whose gradient it is: outputs come before inputs. */
const transposed: Make = (node, kernel, result) => {
  const [outputs, inputs] = [kernel.at(-2)!, kernel.at(-1)!];
  const axis = layoutAxis(node);
  // With groups, the kernel holds the outputs of one group: the shape of the result determines the number of groups.
  const known = result?.at(axis) ?? -1;
  return {
    node,
    kernel: 1,
    data: 2,
    kernelShape: kernel,
    axis,
    channels: known > 0 ? known : outputs,
    outputTerms: (channels) => {
      const groups = channels / outputs;
      if ((groups !== 1 && channels !== known) || inputs % groups !== 0) return undefined;
      return grouped(term(inputs, outputs), () => term(inputs / groups, groups, outputs))(channels);
    },
    inputTerms: (channels) => (channels === inputs ? [term(1, inputs)] : undefined),
    whyShiftUneven: { code: 'borders_differ', node: node.name },
    dataAxis: axis,
  };
};

const matMul: Make = (node, kernel) => {
  const isTransposed = attrBool(node, 'transpose_b') ?? attrBool(node, 'adj_y') ?? false;
  const [inputs, outputs] = isTransposed ? [kernel.at(-1)!, kernel.at(-2)!] : [kernel.at(-2)!, kernel.at(-1)!];
  const output = isTransposed ? term(inputs, outputs) : term(1, outputs);
  const input = isTransposed ? term(1, inputs) : term(outputs, inputs);
  const isPlain = elementCount(kernel.slice(0, -2)) === 1;
  return {
    node,
    kernel: 1,
    data: 0,
    kernelShape: kernel,
    axis: -1,
    channels: outputs,
    outputTerms: (channels) => (channels === outputs ? [output] : undefined),
    inputTerms: (channels) => (channels === inputs ? [input] : undefined),
    whyShiftUneven: isPlain ? undefined : { code: 'matrices_differ', node: node.name },
    dataAxis: (attrBool(node, 'transpose_a') ?? attrBool(node, 'adj_x')) ? undefined : -1,
  };
};

const MAKERS: ReadonlyMap<string, Make> = new Map([
  ...opsWith('convolution').map((op) => [op, convolution] as const),
  ...opsWith('depthwise_convolution').map((op) => [op, depthwise] as const),
  ...opsWith('transposed_convolution').map((op) => [op, transposed] as const),
  ...opsWith('matmul').map((op) => [op, matMul] as const),
]);
