import { attrBool, attrInt, attrInts, attrString, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Node, TensorRef } from '../graph/node.js';
import { concatenation } from './concatenation.js';

/**
 * A scale, and maybe a shift, for each channel of a tensor: scale * x + shift. One number stands for all channels.
 * Dimensions are counted from the end, so that -1 is the last.
 */
export interface ChannelScale {
  /** The dimension of the channels. Of no meaning for a single number. */
  readonly axis: number;
  readonly scale: Float64Array;
  /** As long as `scale`; undefined where nothing is added. */
  readonly shift: Float64Array | undefined;
}

/** The scale and shift that a tensor must have for another one, which is computed from it, to have the requested ones. */
export interface RequiredScale extends ChannelScale {
  readonly ref: TensorRef;
}

/** A scale and shift removed from a tensor; its consumers must compensate for them. */
export interface PendingScale extends ChannelScale {
  /** The element at a position of the dimension is of the channel `floor(position / stride) % channels`. */
  readonly stride: number;
}

/** Why a scale or shift does not commute with an op. */
export type ChannelProblem =
  | { readonly code: 'channels_moved'; readonly node: string; readonly op: string }
  | { readonly code: 'channels_unknown'; readonly node: string }
  | { readonly code: 'channels_padded'; readonly node: string; readonly op: string }
  | { readonly code: 'channels_averaged'; readonly node: string; readonly op: string }
  | { readonly code: 'padded_with_another_number'; readonly node: string; readonly op: string }
  | { readonly code: 'padding_sees_shift'; readonly node: string; readonly op: string }
  | { readonly code: 'negative_scale_of_maximum'; readonly node: string; readonly op: string };

/** What a rule may ask of the graph around a node. */
export interface ChannelFacts {
  /** Sizes of a tensor, -1 for one that is not known; undefined where not even the rank is. */
  shapeOf(ref: TensorRef): readonly number[] | undefined;
  /** Number of dimensions; undefined where it is not known. */
  rankOf(ref: TensorRef): number | undefined;
  /** The value of a constant list of integers. */
  ints(ref: TensorRef | undefined): readonly number[] | undefined;
  /** The value of a constant of one element. */
  scalar(ref: TensorRef | undefined): number | undefined;
}

/** How a scale and shift per channel commute with an op. */
export interface ChannelRule {
  /** What the inputs must have for the result to have the `required` scale and shift. */
  backward?(facts: ChannelFacts, node: Node, required: ChannelScale): readonly RequiredScale[] | ChannelProblem;
  /** What is pending behind the op when `pending` was removed from its input 0. */
  forward?(facts: ChannelFacts, node: Node, pending: PendingScale): PendingScale | ChannelProblem;
}

/** Whether a rule says that a scale does not commute. */
export function isChannelProblem(result: object): result is ChannelProblem {
  return 'code' in result;
}

type Direction = 'backward' | 'forward';

/** An op of one input whose result has the dimensions of the input, each element computed within its channel. */
interface WithinChannels {
  /** The dimension that `axis` becomes: of the input (backward) or of the result (forward). */
  axis(facts: ChannelFacts, node: Node, axis: number, direction: Direction): number | ChannelProblem;
  /** What is in the way of any scale, whatever its dimension. */
  problem?(facts: ChannelFacts, node: Node, scale: Float64Array): ChannelProblem | undefined;
  /** Whether a constant added to the input is the same constant added to the result. Without it, it is. */
  keepsShift?(facts: ChannelFacts, node: Node): boolean;
}

function withinChannels({ axis: axisOf, problem, keepsShift }: WithinChannels): Required<ChannelRule> {
  const dimension = (facts: ChannelFacts, node: Node, { axis, scale }: ChannelScale, direction: Direction) =>
    problem?.(facts, node, scale) ?? (scale.length === 1 ? axis : axisOf(facts, node, axis, direction));
  return {
    backward(facts, node, required) {
      const axis = dimension(facts, node, required, 'backward');
      if (typeof axis !== 'number') return axis;
      const shift = (keepsShift?.(facts, node) ?? true) ? required.shift : undefined;
      return [{ ref: node.inputs[0]!, axis, scale: required.scale, shift }];
    },
    forward(facts, node, pending) {
      const axis = dimension(facts, node, pending, 'forward');
      if (typeof axis !== 'number') return axis;
      const isLost = pending.shift !== undefined && !(keepsShift?.(facts, node) ?? true);
      return isLost ? { code: 'padding_sees_shift', node: node.name, op: node.op } : { ...pending, axis };
    },
  };
}

function moved({ name, op }: Node): ChannelProblem {
  return { code: 'channels_moved', node: name, op };
}

/** The dimension of the channels by a data_format: NHWC, NCHW, NDHWC, ... */
function layoutAxis(node: Node): number {
  const format = attrString(node, 'data_format') ?? 'NHWC';
  return format.startsWith('NC') ? 1 - format.length : -1;
}

/** Identity and its like. */
export const elementwise = withinChannels({ axis: (_, __, axis) => axis });

/** A pool with a window of one channel. MaxPoolV2 has its window as an input. Padding is left out of an average. */
const pooledAxis: WithinChannels['axis'] = (facts, node, axis) => {
  const window = attrInts(node, 'ksize') ?? facts.ints(node.inputs[1]);
  return axis === layoutAxis(node) && window?.at(axis) === 1 ? axis : moved(node);
};

export const averagePool = withinChannels({ axis: pooledAxis });

/** The largest one stays the largest unless the sign changes. */
export const maximumPool = withinChannels({
  axis: pooledAxis,
  problem: (_, { name, op }, scale) =>
    scale.some((factor) => factor < 0) ? { code: 'negative_scale_of_maximum', node: name, op } : undefined,
});

/** A mean over dimensions that are not that of the channels. */
export const mean = withinChannels({
  axis(facts, node, axis, direction) {
    const rank = facts.rankOf(node.inputs[0]!);
    const axes = facts.ints(node.inputs[1]);
    if (rank === undefined || !axes) return moved(node);
    const reduced = new Set(axes.map((each) => (each < 0 ? each : each - rank)));
    const averaged: ChannelProblem = { code: 'channels_averaged', node: node.name, op: node.op };
    if (attrBool(node, 'keep_dims')) return reduced.has(axis) ? averaged : axis;
    const left = Array.from({ length: rank }, (_, i) => i - rank).filter((each) => !reduced.has(each));
    if (direction === 'backward') return left.at(axis) ?? moved(node);
    return reduced.has(axis) ? averaged : left.indexOf(axis) - left.length;
  },
});

const sameElements = withinChannels({
  axis(facts, node, axis, direction) {
    const [input, result] = [facts.shapeOf(node.inputs[0]!), facts.shapeOf({ node: node.name, port: 0 })];
    const [from, to] = direction === 'forward' ? [input, result] : [result, input];
    return (from && to && sameDimension(from, axis, to)) ?? moved(node);
  },
});

/** Reshape, Squeeze, ExpandDims: the channels are where as many elements follow each as before, or in the last dimension. */
export const reshape: ChannelRule = {
  backward: sameElements.backward,
  forward(facts, node, pending) {
    const next = sameElements.forward(facts, node, pending);
    return isChannelProblem(next) ? (flattened(facts, node, pending) ?? next) : next;
  },
};

/** The dimension of `to` whose positions are those of a dimension of `from`; elements keep their order. */
function sameDimension(from: readonly number[], axis: number, to: readonly number[]): number | undefined {
  const [size, behind] = [from.at(axis) ?? -1, elementsBehind(from, axis)];
  if (size < 1 || behind < 1 || -axis > from.length) return undefined;
  for (let at = -1; at >= -to.length; at--) {
    const rest = elementsBehind(to, at);
    if (rest < 0) return undefined;
    if (rest === behind && to.at(at) === size) return at;
  }
  return undefined;
}

/** Channels that are laid out in the last dimension, with what was behind them. */
function flattened(facts: ChannelFacts, node: Node, pending: PendingScale): PendingScale | undefined {
  const [before, after] = [facts.shapeOf(node.inputs[0]!), facts.shapeOf({ node: node.name, port: 0 })];
  const { axis, scale, stride } = pending;
  const length = after?.at(-1) ?? -1;
  const behind = before ? elementsBehind(before, axis) : -1;
  if (!before || length < 1 || behind < 1 || stride !== 1 || before.at(axis) !== scale.length) return undefined;
  for (let at = axis; at >= -before.length; at--) {
    if (elementsBehind(before, at) * before.at(at)! === length) return { ...pending, axis: -1, stride: behind };
  }
  return undefined;
}

/** Number of elements behind one index of a dimension; -1 where it is not known. */
function elementsBehind(shape: readonly number[], axis: number): number {
  const behind = axis === -1 ? [] : shape.slice(axis + 1);
  return behind.some((size) => size < 0) ? -1 : behind.reduce((total, size) => total * size, 1);
}

export const transpose = withinChannels({
  axis(facts, node, axis, direction) {
    const order = facts.ints(node.inputs[1]);
    if (!order || -axis > order.length) return moved(node);
    const at = direction === 'backward' ? order.at(axis)! : order.indexOf(order.length + axis);
    return at < 0 ? moved(node) : at - order.length;
  },
});

/** The margins of a Pad ([before, after] for each dimension): whether there are none along a dimension. */
function isUnpadded(margins: readonly number[] | undefined, axis: number): boolean {
  const at = (margins?.length ?? 0) + 2 * axis;
  return margins !== undefined && at >= 0 && margins[at] === 0 && margins[at + 1] === 0;
}

/** Zero times a factor is zero: the scale may come before the padding, the shift may not. A mirror shows both. */
export const pad = withinChannels({
  axis: (facts, node, axis) =>
    isUnpadded(facts.ints(node.inputs[1]), axis) ? axis : { code: 'channels_padded', node: node.name, op: node.op },
  problem(facts, node) {
    // PadV2 alone has the number as an input.
    const isZero = node.op === 'MirrorPad' || !node.inputs[2] || facts.scalar(node.inputs[2]) === 0;
    return isZero ? undefined : { code: 'padded_with_another_number', node: node.name, op: node.op };
  },
  keepsShift: (_, node) => node.op === 'MirrorPad',
});

interface Blocks {
  /** Sizes of the blocks, from dimension 1 on. */
  readonly sizes: readonly number[];
  /** What is cut off or padded, as [before, after] for each of these dimensions. */
  readonly margins: readonly number[];
}

/** The older ops have one size for height and width, as an attr. */
function blocksOf(facts: ChannelFacts, node: Node): Blocks | undefined {
  const size = attrInt(node, 'block_size');
  const sizes = size === undefined ? facts.ints(node.inputs[1]) : [size, size];
  const margins = facts.ints(node.inputs[size === undefined ? 2 : 1]);
  return sizes && margins && { sizes, margins };
}

const blockAxis: WithinChannels['axis'] = (facts, node, axis) => {
  const blocks = blocksOf(facts, node);
  const rank = facts.rankOf(node.inputs[0]!) ?? facts.rankOf({ node: node.name, port: 0 });
  if (!blocks || rank === undefined) return moved(node);
  // The batch is dimension 0.
  const at = rank + axis - 1;
  const isWhole =
    at >= blocks.sizes.length || (blocks.sizes[at] === 1 && isUnpadded(blocks.margins, at - blocks.sizes.length));
  return at >= 0 && isWhole ? axis : moved(node);
};

/** Blocks of positions become batches: each channel for itself. */
export const spaceToBatch = withinChannels({
  axis: blockAxis,
  keepsShift: (facts, node) => blocksOf(facts, node)?.margins.every((margin) => margin === 0) ?? false,
});

/** The way back of {@link spaceToBatch}, which cuts in place of padding. */
export const batchToSpace = withinChannels({ axis: blockAxis });

/** Weights of an interpolation sum to one. ResizeBilinear computes in float32 whatever it reads. */
export const resize = withinChannels({
  axis: (_, node, axis) => (axis === -1 ? axis : moved(node)),
  problem: (_, node) => (attrType(node, 'T') === DataType.DT_FLOAT ? undefined : moved(node)),
});

/** How often the channels of an NHWC tensor are repeated where blocks of positions are laid out as channels. */
function repeats(node: Node, { axis }: ChannelScale): number | undefined {
  const size = attrInt(node, 'block_size') ?? 0;
  return axis === -1 && layoutAxis(node) === -1 && size > 0 ? size * size : undefined;
}

function repeated<S extends ChannelScale>(of: S, times: number): S {
  const repeat = (values: Float64Array) =>
    Float64Array.from({ length: values.length * times }, (_, i) => values[i % values.length]!);
  return { ...of, scale: repeat(of.scale), shift: of.shift && repeat(of.shift) };
}

/** Channel c of the result comes from the channels c, c + C, c + 2C, ... */
export const depthToSpace: ChannelRule = {
  backward(_, node, { axis, scale, shift }) {
    const required = { ref: node.inputs[0]!, axis, scale, shift };
    if (scale.length === 1) return [required];
    const times = repeats(node, required);
    return times === undefined ? moved(node) : [repeated(required, times)];
  },
  forward: (_, node, pending) => (pending.scale.length === 1 ? pending : moved(node)),
};

/** Channel c becomes the channels c, c + C, c + 2C, ... of the result. */
export const spaceToDepth: ChannelRule = {
  backward: (_, node, { axis, scale, shift }) =>
    scale.length === 1 ? [{ ref: node.inputs[0]!, axis, scale, shift }] : moved(node),
  forward(_, node, pending) {
    if (pending.scale.length === 1) return pending;
    const times = pending.stride === 1 ? repeats(node, pending) : undefined;
    return times === undefined ? moved(node) : repeated(pending, times);
  },
};

/** Each part takes the factors of its channels. What one part alone is scaled by, the result cannot have pending. */
export const concat: ChannelRule = {
  backward(facts, node, { axis, scale, shift }) {
    const { parts, axis: dimension } = concatenation(node);
    const along = facts.scalar(dimension);
    const rank = facts.rankOf(parts[0]!) ?? facts.rankOf({ node: node.name, port: 0 });
    if (along === undefined || rank === undefined) return moved(node);
    if (scale.length === 1 || (along < 0 ? along : along - rank) !== axis) {
      return parts.map((ref) => ({ ref, axis, scale, shift }));
    }
    const required: RequiredScale[] = [];
    let from = 0;
    for (const ref of parts) {
      const size = facts.shapeOf(ref)?.at(axis) ?? -1;
      if (size < 1) return { code: 'channels_unknown', node: ref.node };
      const own = (values: Float64Array) => values.slice(from, from + size);
      required.push({ ref, axis, scale: own(scale), shift: shift && own(shift) });
      from += size;
    }
    return from === scale.length ? required : moved(node);
  },
};
