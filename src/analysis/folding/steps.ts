import type { DataType } from '../../graph/dtype.js';
import type { Vector } from '../values/vectors.js';
import type { Factor } from './scaled_tensor.js';

/** The kernel that an op reads becomes itself times a factor. */
export interface ScaleKernel {
  readonly kind: 'scale_kernel';
  readonly op: string;
  /** Index of the op's input that holds the kernel, and its shape there. */
  readonly input: number;
  readonly shape: readonly number[];
  /** The Const that holds the numbers. */
  readonly constant: string;
  readonly factor: Factor;
}

/** A node that adds or subtracts a constant does so with another one. */
export interface SetAddend {
  readonly kind: 'set_addend';
  readonly node: string;
  /** Index of the input that is constant. */
  readonly input: number;
  readonly dtype: DataType;
  /** The constant as it is stored. */
  readonly addend: Vector;
}

/** A product or sum with a vector, broadcast. BiasAdd has a vector of one dimension, along the channels of its layout. */
export type VectorOp =
  | { readonly op: 'Mul' | 'Add'; readonly by: Vector }
  | { readonly op: 'BiasAdd'; readonly by: Vector; readonly format: 'NHWC' | 'NCHW' };

/** What an op computes gets a bias. */
export interface AddBias {
  readonly kind: 'add_bias';
  readonly op: string;
  readonly dtype: DataType;
  readonly bias: VectorOp;
}

/** A site becomes these ops, one after the other; the last of them has its name. */
export interface ReplaceSite {
  readonly kind: 'replace_site';
  /** The nodes of the site, in order. */
  readonly members: readonly string[];
  /** Index of the input of the first that is data. */
  readonly input: number;
  readonly dtype: DataType;
  readonly by: readonly VectorOp[];
}

/** One change that folds something. Nodes are named as in the graph. */
export type FoldStep = ScaleKernel | SetAddend | AddBias | ReplaceSite;

/** How one site is folded: data, to be applied to the graph as it is then. */
export interface FoldPlan {
  /** The name of the site's last op. */
  readonly site: string;
  /** The names that the site is reported by. */
  readonly names: readonly string[];
  readonly steps: readonly FoldStep[];
  /** The ops whose kernels take the scale; for arithmetic, the ops that the site becomes. */
  readonly into: readonly string[];
  /** The nodes that the plan changes, or whose place in the graph it relies on: those of no other plan applied with it. */
  readonly nodes: readonly string[];
}
