import type { DataType } from '../../graph/dtype.js';
import type { Tensor } from '../../graph/tensor.js';
import type { Vector } from '../values/vectors.js';
import type { Factor } from './scaled_tensor.js';

/** The kernel of an op is multiplied by a factor. */
export interface ScaleKernel {
  readonly kind: 'scale_kernel';
  readonly op: string;
  /** Index of the op's input that holds the kernel, and its shape there. */
  readonly input: number;
  readonly shape: readonly number[];
  /** The node that holds the numbers, a Const or computed from some, and its value. */
  readonly constant: string;
  readonly tensor: Tensor;
  readonly factor: Factor;
}

/** The constant that a node adds or subtracts is replaced. */
export interface SetAddend {
  readonly kind: 'set_addend';
  readonly node: string;
  /** Index of the input that is constant. */
  readonly input: number;
  readonly dtype: DataType;
  /** The stored constant. */
  readonly addend: Vector;
}

/** A product or sum with a broadcast vector. BiasAdd has a one-dimensional vector along the channels of its layout. */
export type VectorOp =
  | { readonly op: 'Mul' | 'Add'; readonly by: Vector }
  | { readonly op: 'BiasAdd'; readonly by: Vector; readonly format: 'NHWC' | 'NCHW' };

/** A bias is added to the result of an op. */
export interface AddBias {
  readonly kind: 'add_bias';
  readonly op: string;
  readonly dtype: DataType;
  readonly bias: VectorOp;
}

/** A site is replaced by these ops in sequence; the last one takes its name. */
export interface ReplaceSite {
  readonly kind: 'replace_site';
  /** The nodes of the site, in order. */
  readonly members: readonly string[];
  /** Index of the data input of the first. */
  readonly input: number;
  readonly dtype: DataType;
  readonly by: readonly VectorOp[];
}

/** One change of a plan. Names are those of the graph. */
export type FoldStep = ScaleKernel | SetAddend | AddBias | ReplaceSite;

/** How to fold one site, as data that is applied to the current graph. */
export interface FoldPlan {
  /** The name of the site's last op. */
  readonly site: string;
  /** The names under which the site is reported. */
  readonly names: readonly string[];
  readonly steps: readonly FoldStep[];
  /** The ops whose kernels absorb the scale; for arithmetic, the ops that the site becomes. */
  readonly into: readonly string[];
  /** The nodes that the plan changes or relies on: plans that are applied together must not share any. */
  readonly nodes: readonly string[];
}
