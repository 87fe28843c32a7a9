/**
 * What an op is for. An op may have several roles; a list of ops anywhere else is a query for roles.
 *
 * - Values: `identity` hands input 0 on; `cast` changes its dtype, `reshape` its shape (elements and their order stay),
 *   `broadcast` repeats it; `gradient_barrier` is an identity that gradients do not pass.
 * - Arithmetic: `add`, `subtract`, `multiply`, `divide`, `square`, `power`, `root` (Sqrt, Rsqrt), `extremum` (of two
 *   tensors), `comparison`, `logic`, `rounding`.
 * - Control flow: the ops of v1 (`switch`, `merge`, `enter`, `exit`, `next_iteration`, `loop_cond`), `select`, and the ops
 *   that call functions (`call`, `if`, `case`, `while`).
 * - State: `variable` is `ref_variable` or `handle`; `assign` is `assign_set`, `assign_add` or `assign_sub`; `read`,
 *   `gather_variable`, `variable_shape` take a handle; `restore`, `save`; `update` changes a variable in another way;
 *   `initialised` asks whether a variable has a value.
 * - Random: `random` is `uniform` (on [0, 1)), `symmetric` (around 0) or `random_other`; `shuffle` reorders data.
 * - Networks: `convolution`, `depthwise_convolution`, `transposed_convolution`, `matmul`, `pool`, `reduction` over axes (of
 *   which `average`s are Mean and Sum), `fused_batch_norm`, `fused_batch_norm_gradient`, `global_batch_norm`, `bias`,
 *   `activation`, `fake_quantize`, `weighted` (brings weights in).
 * - Shapes: `shape_query` asks for a shape, `shape_like` makes a constant of one.
 * - Inputs: `placeholder`, `pipeline_end` (what an input pipeline delivers), `decode` (files and records).
 * - Training: `loss`, `metric`, `summary`, `effect` (changes something or writes it down), `gradient`.
 */
export type Role =
  | 'identity'
  | 'gradient_barrier'
  | 'cast'
  | 'reshape'
  | 'broadcast'
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
  | 'random'
  | 'uniform'
  | 'symmetric'
  | 'random_other'
  | 'shuffle'
  | 'convolution'
  | 'depthwise_convolution'
  | 'transposed_convolution'
  | 'matmul'
  | 'gather'
  | 'slice'
  | 'concat'
  | 'pad'
  | 'transpose'
  | 'pool'
  | 'resize'
  | 'reduction'
  | 'average'
  | 'fused_batch_norm'
  | 'fused_batch_norm_gradient'
  | 'fused_batch_norm_activation'
  | 'global_batch_norm'
  | 'bias'
  | 'activation'
  | 'probability'
  | 'fake_quantize'
  | 'weighted'
  | 'constant'
  | 'fill'
  | 'range'
  | 'shape_query'
  | 'shape_like'
  | 'placeholder'
  | 'default_placeholder'
  | 'pipeline_end'
  | 'decode'
  | 'loss'
  | 'metric'
  | 'summary'
  | 'effect'
  | 'no_op'
  | 'assertion'
  | 'gradient';

/**
 * What an op does to one element of each input, as real numbers: bool is 0 and 1, nothing is rounded to a dtype. NaN stands
 * for a number that is not known, and what depends on it is NaN.
 */
export type Scalar = (...inputs: number[]) => number;

/** One row of the table of ops: ops that mean the same to bnfix. */
export interface OpRow {
  /** Their names, by spaces. */
  readonly ops: string;
  readonly roles: readonly Role[];
  readonly scalar?: Scalar;
}

/** A row. @param ops - names by spaces @param roles - by spaces, for short */
export function row(ops: string, roles: string, more: Omit<OpRow, 'ops' | 'roles'> = {}): OpRow {
  return { ops, roles: roles === '' ? [] : (roles.split(' ') as Role[]), ...more };
}
