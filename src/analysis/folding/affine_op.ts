import type { DataType } from '../../graph/dtype.js';
import type { Node, TensorRef } from '../../graph/node.js';
import type { Vector } from '../values/vectors.js';

/** y = scale * x + shift, per channel or one number for all. */
export interface Affine {
  readonly scale: Vector;
  readonly shift: Vector;
  /**
   * How much larger intermediate results are than the final one when it is computed as one product and one sum, but
   * the graph subtracts first: the factor by which rounding errors grow.
   */
  readonly growth: number;
}

/** One op that scales and shifts its input by constants. */
export interface AffineOp {
  readonly node: Node;
  readonly x: TensorRef;
  /** Index of the constant input, if any. */
  readonly operand: number;
  readonly affine: Affine;
  /** The op of a batch norm, or {@link DECOMPOSED}; undefined for plain arithmetic. */
  readonly batchNorm: string | undefined;
  /** Its cost at run time: a batch norm counts as three ops, arithmetic as one, an identity as none. */
  readonly cost: number;
  readonly dtype: DataType;
  /** Whether it computes in float32 but stores fewer bits. */
  readonly widens: boolean;
}
