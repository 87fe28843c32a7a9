import type { ChannelProblem } from '../../ops/channel_rules/rule.js';

export type { ChannelProblem } from '../../ops/channel_rules/rule.js';

/**
 * Why a batch norm cannot be folded: a code and its parameters. Nodes, tensors (`name`, `name:1`) and dtypes are given by
 * name.
 */
export type FoldReason =
  | ChannelProblem
  /** The user wants to keep it unchanged. */
  | { readonly code: 'kept_by_option' }
  /** Mul and Add would be two ops; the program that the result is for has one. */
  | { readonly code: 'one_op_for_target' }
  | { readonly code: 'training_mode' }
  | { readonly code: 'statistics_used'; readonly ports: readonly number[] }
  | { readonly code: 'parameter_not_constant'; readonly node: string }
  | { readonly code: 'parameters_do_not_fit' }
  | { readonly code: 'activation_unknown'; readonly activation: string }
  /** Its scale or shift is NaN: a root of a negative variance, or 0/0. */
  | { readonly code: 'not_a_number' }
  | { readonly code: 'out_of_range'; readonly dtype: string }
  | { readonly code: 'addend_out_of_range'; readonly node: string; readonly dtype: string }
  | { readonly code: 'weights_out_of_range'; readonly dtype: string; readonly limit: 'largest' | 'smallest' }
  /** Mul and Add would round to `dtype` where the op computes in float32. */
  | { readonly code: 'computed_in_float32'; readonly dtype: string }
  /** Mul and then Add would lose digits; if a scale is 0, so would Add and then Mul. */
  | { readonly code: 'large_means'; readonly zeroScale: boolean }
  | { readonly code: 'rank_unknown' }
  /** The preceding op is not a convolution or matrix product. */
  | { readonly code: 'input_not_linear'; readonly node: string; readonly op: string; readonly port: number }
  | { readonly code: 'input_quantised'; readonly node: string }
  /** More than {@link MAX_CROSSED} ops are between the batch norm and the kernel. */
  | { readonly code: 'too_far'; readonly node: string }
  | { readonly code: 'addend_not_constant'; readonly node: string; readonly op: string }
  | { readonly code: 'addend_along_other_channels'; readonly node: string }
  | { readonly code: 'addend_of_higher_rank'; readonly node: string }
  | { readonly code: 'not_along_outputs'; readonly node: string; readonly channels: number }
  | { readonly code: 'not_along_inputs'; readonly node: string }
  | { readonly code: 'kernel_mixes_channels'; readonly node: string }
  | { readonly code: 'kernel_quantised'; readonly node: string; readonly by: string }
  | { readonly code: 'kernel_not_constant'; readonly node: string; readonly source: string; readonly op: string }
  /** Its shape repeats a value that the file has once: folded, a small file would become a huge one. */
  | { readonly code: 'kernel_repeated'; readonly node: string; readonly kernel: string }
  /** `duplicateWeights` helps against these four. */
  | { readonly code: 'kernel_is_output'; readonly kernel: string }
  | { readonly code: 'kernel_read_elsewhere'; readonly kernel: string; readonly reader: string }
  | { readonly code: 'kernel_read_several_times'; readonly kernel: string }
  | { readonly code: 'kernel_shared'; readonly kernel: string; readonly ops: readonly string[] }
  | { readonly code: 'is_output'; readonly tensor: string }
  | { readonly code: 'read_elsewhere'; readonly tensor: string; readonly reader: string }
  | { readonly code: 'read_several_times'; readonly tensor: string; readonly reader: string }
  /** A consumer is not a convolution or matrix product. */
  | { readonly code: 'reader_not_linear'; readonly node: string; readonly op: string }
  | { readonly code: 'read_as_kernel'; readonly node: string }
  | { readonly code: 'not_read' }
  /** At its borders, a transposed convolution sums fewer terms. */
  | { readonly code: 'borders_differ'; readonly node: string }
  | { readonly code: 'matrices_differ'; readonly node: string };

/** How many ops a plan passes at most: nets have a handful. Limits the cost where nothing but such ops follow each other. */
export const MAX_CROSSED = 256;

/** How many more ops a search may pass. */
export interface SearchLimit {
  left: number;
}

/** Whether a result is a reason instead of a plan. */
export function isReason(result: object): result is FoldReason {
  return 'code' in result;
}

/**
 * Whether the batch norm must not even become Mul and Add: TensorFlow's optimizer would then fold the Mul,
 * which the reason forbids.
 */
export function mustStay({ code }: FoldReason): boolean {
  return MUST_STAY.includes(code);
}

const MUST_STAY: readonly FoldReason['code'][] = [
  'not_a_number',
  'out_of_range',
  'weights_out_of_range',
  'input_quantised',
  'too_far',
  'kernel_quantised',
];
