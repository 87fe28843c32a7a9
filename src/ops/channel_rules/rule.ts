import { attrString } from '../../graph/attrs.js';
import type { Node, TensorRef } from '../../graph/node.js';

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

/** From the result to the inputs, or from input 0 to the result. */
export type Direction = 'backward' | 'forward';

/** An op of one input whose result has the dimensions of the input, each element computed within its channel. */
export interface WithinChannels {
  /** The dimension that `axis` becomes: of the input (backward) or of the result (forward). */
  axis(facts: ChannelFacts, node: Node, axis: number, direction: Direction): number | ChannelProblem;
  /** What is in the way of any scale, whatever its dimension. */
  problem?(facts: ChannelFacts, node: Node, scale: Float64Array): ChannelProblem | undefined;
  /** Whether a constant added to the input is the same constant added to the result. Without it, it is. */
  keepsShift?(facts: ChannelFacts, node: Node): boolean;
}

/** The rule of such an op. A single factor commutes whatever the dimension. */
export function withinChannels({ axis: axisOf, problem, keepsShift }: WithinChannels): Required<ChannelRule> {
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

/** Where the channels are behind an op is not known. */
export function moved({ name, op }: Node): ChannelProblem {
  return { code: 'channels_moved', node: name, op };
}

/** The dimension of the channels by a data_format: NHWC, NCHW, NDHWC, ... */
export function layoutAxis(node: Node): number {
  const format = attrString(node, 'data_format') ?? 'NHWC';
  return format.startsWith('NC') ? 1 - format.length : -1;
}
