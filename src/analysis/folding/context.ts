import type { Graph } from '../../graph/graph.js';
import type { TensorRef } from '../../graph/node.js';

/** What folding may look at. */
export interface FoldContext {
  /** A frozen graph. */
  readonly graph: Graph;
  readonly outputs: readonly TensorRef[];
  /** Whether a kernel that is in use elsewhere may be written twice. */
  readonly duplicateWeights: boolean;
  /** Whether the user wants a node left as it is. */
  readonly isKept: (name: string) => boolean;
}
