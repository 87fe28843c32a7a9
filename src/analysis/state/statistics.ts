import type { TensorRef } from '../../graph/node.js';
import type { Variable } from './variables.js';

/** How the variables with a batch norm's moving statistics were found, the most reliable evidence first. */
export type Evidence =
  /** Update ops of the graph average its mean and variance into them. */
  | {
      readonly kind: 'update op';
      readonly assigns: readonly [mean: string, variance: string];
      readonly tensors: readonly [mean: TensorRef, variance: TensorRef];
    }
  /** Its inputs 3 and 4 already read them. */
  | { readonly kind: 'input' }
  /** The user named them. */
  | { readonly kind: 'map' }
  /** The batch norm of that name in the reference graph has them. */
  | { readonly kind: 'reference'; readonly evidence: Evidence }
  /** Another batch norm with the same scale or offset, `shared`, uses them. */
  | { readonly kind: 'sibling'; readonly batchNorm: string; readonly shared: string }
  /** Its update ops are gone; their names are those of moving statistics in its scope. */
  | { readonly kind: 'name' }
  /** Its update ops are gone; they are the only vectors of its size that nothing reads. */
  | { readonly kind: 'shape'; readonly channels: number };

/** The moving statistics of a batch norm. */
export interface Statistics {
  readonly mean: Variable;
  readonly variance: Variable;
  readonly evidence: Evidence;
}
