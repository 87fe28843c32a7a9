import type { DataType } from '../../graph/dtype.js';
import type { Node, TensorRef } from '../../graph/node.js';
import type { Vector } from '../values/vectors.js';

/** y = scale * x + shift, per channel or for all. */
export interface Affine {
  readonly scale: Vector;
  readonly shift: Vector;
  /**
   * How much larger the numbers on the way are than the result when it is computed as one product and one sum, where
   * the graph subtracts first: the factor by which rounding errors grow.
   */
  readonly growth: number;
}

/** One op that scales and shifts its input by constants. */
export interface AffineOp {
  readonly node: Node;
  readonly x: TensorRef;
  /** Index of the input that is constant, where there is one. */
  readonly operand: number;
  readonly affine: Affine;
  /** The op of a batch norm, or {@link DECOMPOSED}; undefined for plain arithmetic. */
  readonly batchNorm: string | undefined;
  /** What it costs at run time: a batch norm three ops, arithmetic one, an identity nothing. */
  readonly cost: number;
  readonly dtype: DataType;
  /** Whether it computes in float32 what it stores in fewer bits. */
  readonly widens: boolean;
}
