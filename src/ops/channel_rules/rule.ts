import { attrString } from '../../graph/attrs.js';
import type { Node, TensorRef } from '../../graph/node.js';

/**
 * A scale, and optionally a shift, for each channel of a tensor: scale * x + shift. A single number applies to all channels.
 * Dimensions are counted from the end, so that -1 is the last.
 */
export interface ChannelScale {
  /** The dimension of the channels; ignored for a single number. */
  readonly axis: number;
  readonly scale: Float64Array;
  /** As long as `scale`; undefined if nothing is added. */
  readonly shift: Float64Array | undefined;
}

/** The scale and shift that an input tensor must have for the result to have the requested ones. */
export interface RequiredScale extends ChannelScale {
  readonly ref: TensorRef;
}

/** A scale and shift removed from a tensor; its consumers must compensate for them. */
export interface PendingScale extends ChannelScale {
  /** The channel of a position of the dimension is `floor(position / stride) % channels`. */
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

/** The facts about the graph around a node that a rule may use. */
export interface ChannelFacts {
  /** Sizes of a tensor, -1 for an unknown one; undefined for an unknown rank. */
  shapeOf(ref: TensorRef): readonly number[] | undefined;
  /** Number of dimensions; undefined if unknown. */
  rankOf(ref: TensorRef): number | undefined;
  /** The value of a constant list of integers. */
  ints(ref: TensorRef | undefined): readonly number[] | undefined;
  /** The value of a constant of one element. */
  scalar(ref: TensorRef | undefined): number | undefined;
}

/** How a scale and shift per channel commute with an op. */
export interface ChannelRule {
  /** The scale and shift that the inputs must have for the result to have the `required` ones. */
  backward?(facts: ChannelFacts, node: Node, required: ChannelScale): readonly RequiredScale[] | ChannelProblem;
  /** The scale and shift pending after the op if `pending` was removed from its input 0. */
  forward?(facts: ChannelFacts, node: Node, pending: PendingScale): PendingScale | ChannelProblem;
}

/** Whether the result of a rule is a problem: the scale does not commute. */
export function isChannelProblem(result: object): result is ChannelProblem {
  return 'code' in result;
}

/** Backward: from the result to the inputs; forward: from input 0 to the result. */
export type Direction = 'backward' | 'forward';

/** An op with one input that keeps the dimensions and computes each element within its channel. */
export interface WithinChannels {
  /** The dimension that `axis` becomes: of the input (backward) or of the result (forward). */
  axis(facts: ChannelFacts, node: Node, axis: number, direction: Direction): number | ChannelProblem;
  /** A problem for any scale, whatever its dimension. */
  problem?(facts: ChannelFacts, node: Node, scale: Float64Array): ChannelProblem | undefined;
  /** Whether adding a constant to the input adds the same constant to the result. Default: it does. */
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

/** The position of the channels after an op is unknown. */
export function moved({ name, op }: Node): ChannelProblem {
  return { code: 'channels_moved', node: name, op };
}

/** The dimension of the channels in a data_format: NHWC, NCHW, NDHWC, ... */
export function layoutAxis(node: Node): number {
  const format = attrString(node, 'data_format') ?? 'NHWC';
  return format.startsWith('NC') ? 1 - format.length : -1;
}
