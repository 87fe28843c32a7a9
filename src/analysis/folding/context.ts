import type { Graph } from '../../graph/graph.js';
import type { TensorRef } from '../../graph/node.js';

/** The input of folding. */
export interface FoldContext {
  /** A frozen graph. */
  readonly graph: Graph;
  readonly outputs: readonly TensorRef[];
  /** Whether a kernel that is also used elsewhere may be copied. */
  readonly duplicateWeights: boolean;
  /** Whether a fused batch norm that cannot be folded stays one op, since the result is for a program that has such an op. */
  readonly keepsFused?: boolean;
  /** Whether the user wants to keep a node unchanged. */
  readonly isKept: (name: string) => boolean;
}
