import type { Graph } from '../../graph/graph.js';
import type { TensorRef } from '../../graph/node.js';

/** The input of folding. */
export interface FoldContext {
  /** A frozen graph. */
  readonly graph: Graph;
  readonly outputs: readonly TensorRef[];
  /** Whether a kernel that is also used elsewhere may be copied. */
  readonly duplicateWeights: boolean;
  /** Whether the user wants to keep a node unchanged. */
  readonly isKept: (name: string) => boolean;
}
