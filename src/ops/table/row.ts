import type { ChannelRule } from '../channel_rules/rule.js';
import type { ShapeConflict } from '../shape_rules/conflicts.js';
import type { ShapeRule } from '../shape_rules/rule.js';
import type { ValueRule } from '../value_rules.js';

/**
 * The purpose of an op. An op may have several roles; other modules select ops by their roles.
 *
 * - Values: `identity` outputs input 0 unchanged (`identity_n` each of its inputs); `cast` changes its dtype, `reshape` its
 *   shape (elements and their order stay), `broadcast` repeats it; `gradient_barrier` is an identity that gradients do not pass;
 *   `across_replicas` combines a tensor with those of other replicas, `replica_count` is their number.
 * - Arithmetic: `arithmetic` is any continuous elementwise function that statistics are computed with; also `add`,
 *   `subtract`, `multiply`, `divide`, `square`, `power`, `root` (Sqrt, Rsqrt), `extremum` (of two tensors), `comparison`,
 *   `logic`, `rounding`, `negate`, `absolute`, `logarithm`. What TensorFlow computes is known to the last bit for ops that are `exact` (the function of the row, rounded once
 *   to the dtype, or elements that only move) or `exact_integers` (the same, for integers only).
 * - Movement of elements: `transpose`, `concat`, `pad`, `slice`, `split`, `gather`, `scatter`, `reverse`, `tile`, `resize`,
 *   `blocks` (of positions become batches, or batches blocks), `displacement` (a shift, or boxes, from an input); `cumulative`: sums or
 *   products of all elements so far.
 * - Control flow: the ops of v1 (`switch`, `merge`, `enter`, `exit`, `next_iteration`, `loop_cond`), `select`, and the ops
 *   that call functions (`call`, `if`, `case`, `while`).
 * - State: `variable` is `ref_variable` or `handle`; `assign` is `assign_set`, `assign_add` or `assign_sub`; `read`,
 *   `gather_variable`, `variable_shape` take a handle; `restore`, `save`; `update` changes a variable in another way
 *   (`row_update` some of its rows or elements: `row_set`,
 *   `row_add`, `row_sub`);
 *   `initialised` tests whether a variable has a value.
 * - Random: `random` is `uniform` (on [0, 1)), `uniform_int`, `symmetric` (around 0), `random_other` (another distribution), `shuffle`
 *   (reorders data), `crop` (takes a part of it) or `sampling` (from the distribution in its input, as a language model does at inference).
 * - Networks: `convolution`, `depthwise_convolution`, `transposed_convolution`, `matmul`, `pool`, `reduction` over axes (of
 *   which `average`s are Mean and Sum, `mean` Mean alone), `fused_batch_norm`, `fused_batch_norm_gradient`,
 *   `global_batch_norm`, `bias`, `activation`, `probability` (an activation that ends in a bounded range), `hinge` (an activation
 *   that losses use as well), `positive` (its result is above 0),
 *   `fake_quantize`, `weighted` (brings weights in), `tensor_array`, `arg_reduction` (an index along an axis).
 * - Shapes: `shape_query` returns a shape, `shape_like` makes a constant of one; the output size of a `dynamic_shape` op
 *   depends on values. `lookup_table`: tables of keys and values, and the ops that read them; a `table` is made by an op,
 *   filled by a `table_initializer` (from a file if it is a `table_file`); a `mutable_table` is also changed by a `table_insert`, and `table_size` is its size.
 * - Outside of the graph: `python` calls a Python function, `accelerator` has no kernel on a CPU; `replicas` are the inputs
 *   and outputs of computations that run on several TPUs. An `own_resource` is made empty, and is used so.
 * - Inputs: `placeholder`, `pipeline_end` (the output of an input pipeline), `decode` (files and records).
 * - Training: `loss`, `metric`, `selection` (picks from scores: the largest, its index, the decoded text), `summary` (`media` of
 *   images and sounds), `effect` (side effects), `gradient`, `optimizer` (updates a weight).
 */
export type Role =
  | 'identity'
  | 'identity_n'
  | 'gradient_barrier'
  | 'across_replicas'
  | 'replica_count'
  | 'cast'
  | 'reshape'
  | 'broadcast'
  | 'arithmetic'
  | 'reciprocal'
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'square'
  | 'power'
  | 'root'
  | 'extremum'
  | 'comparison'
  | 'logic'
  | 'rounding'
  | 'exact'
  | 'exact_integers'
  | 'negate'
  | 'absolute'
  | 'logarithm'
  | 'switch'
  | 'merge'
  | 'select'
  | 'enter'
  | 'exit'
  | 'next_iteration'
  | 'loop_cond'
  | 'call'
  | 'if'
  | 'case'
  | 'while'
  | 'variable'
  | 'ref_variable'
  | 'handle'
  | 'assign'
  | 'assign_set'
  | 'assign_add'
  | 'assign_sub'
  | 'read'
  | 'gather_variable'
  | 'variable_shape'
  | 'initialised'
  | 'restore'
  | 'save'
  | 'update'
  | 'row_update'
  | 'row_set'
  | 'row_add'
  | 'row_sub'
  | 'random'
  | 'uniform'
  | 'uniform_int'
  | 'symmetric'
  | 'random_other'
  | 'shuffle'
  | 'crop'
  | 'sampling'
  | 'convolution'
  | 'depthwise_convolution'
  | 'transposed_convolution'
  | 'matmul'
  | 'gather'
  | 'scatter'
  | 'reverse'
  | 'displacement'
  | 'cumulative'
  | 'tile'
  | 'slice'
  | 'split'
  | 'pack'
  | 'unpack'
  | 'concat'
  | 'pad'
  | 'transpose'
  | 'pool'
  | 'resize'
  | 'blocks'
  | 'reduction'
  | 'arg_reduction'
  | 'average'
  | 'mean'
  | 'fused_batch_norm'
  | 'fused_batch_norm_gradient'
  | 'fused_batch_norm_activation'
  | 'global_batch_norm'
  | 'bias'
  | 'activation'
  | 'probability'
  | 'hinge'
  | 'positive'
  | 'fake_quantize'
  | 'weighted'
  | 'tensor_array'
  | 'constant'
  | 'fill'
  | 'range'
  | 'shape_query'
  | 'shape_like'
  | 'dynamic_shape'
  | 'lookup_table'
  | 'table'
  | 'table_initializer'
  | 'mutable_table'
  | 'table_size'
  | 'table_file'
  | 'table_insert'
  | 'python'
  | 'accelerator'
  | 'replicas'
  | 'own_resource'
  | 'placeholder'
  | 'default_placeholder'
  | 'pipeline_end'
  | 'decode'
  | 'loss'
  | 'metric'
  | 'selection'
  | 'media'
  | 'summary'
  | 'effect'
  | 'no_op'
  | 'assertion'
  | 'gradient'
  | 'optimizer';

/**
 * The function that an op applies to one element of each input, as real numbers: bool is 0 and 1, nothing is rounded to a
 * dtype. NaN is an unknown number, and results that depend on it are NaN.
 */
export type Scalar = (...inputs: number[]) => number;

/** The same for an op that rounds intermediate results, each by `round`. The last result is not rounded yet. */
export type Steps = (round: (x: number) => number, ...inputs: number[]) => number;

/** One row of the table of ops: ops with the same meaning for bnfix. */
export interface OpRow {
  /** Their names, separated by spaces. */
  readonly ops: string;
  readonly roles: readonly Role[];
  readonly scalar?: Scalar;
  /** As TensorFlow computes it, if it rounds more than once. */
  readonly steps?: Steps;
  /** Shapes of the outputs; unknown without it. */
  readonly shape?: ShapeRule;
  /** Whether known shapes of the inputs contradict each other; without it, they are not checked. */
  readonly conflict?: ShapeConflict;
  /** The value for small constant inputs, if it moves their elements. */
  readonly value?: ValueRule;
  /** How a scale and shift per channel of its input commute with it; without it, they do not. */
  readonly channels?: ChannelRule;
}

/** The properties of a row besides its roles. */
export type Meaning = Omit<OpRow, 'ops' | 'roles'>;

/** A row. @param ops - names, separated by spaces @param roles - separated by spaces, for short */
export function row(ops: string, roles: string, more: Meaning = {}): OpRow {
  return { ops, roles: rolesOf(roles), ...more };
}

/** Parses roles separated by spaces. */
export function rolesOf(text: string): readonly Role[] {
  return text === '' ? [] : (text.split(' ') as Role[]);
}
