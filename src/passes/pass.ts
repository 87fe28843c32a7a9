import type { Variables } from '../analysis/state/variables.js';
import type { BatchNorms } from '../analysis/training/batch_norms.js';
import type { Flag } from '../analysis/training/flags.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';

/** What a pass may look at before the batch norms have been found; it changes the graph alone. */
export interface PrepareContext {
  readonly graph: Graph;
  readonly outputs: readonly TensorRef[];
  /** Tensors to cut at: each becomes a placeholder. */
  readonly inputs: readonly TensorRef[];
  /** Flags and their values at inference. */
  readonly flags: readonly Flag[];
}

/** What a pass may look at. */
export interface PassContext extends PrepareContext {
  readonly variables: Variables;
  readonly checkpoint: Checkpoint | undefined;
  /** All batch norms of the graph, on the way to the outputs or not. */
  readonly batchNorms: BatchNorms;
  /** Whether the user wants a site left as it is. */
  readonly isKept: (name: string) => boolean;
  readonly allowUntrained: boolean;
}

/** One thing that a pass did or left, for the report. */
export interface Remark {
  readonly node: string;
  readonly text: string;
}

export interface PassResult {
  readonly changed: readonly Remark[];
  /** What was looked at and left as it is, with the reason. */
  readonly skipped: readonly Remark[];
}

/** A change of the graph that leaves it valid: synchronous, without I/O but the few numbers that it needs. */
export interface Pass<C extends PrepareContext = PassContext> {
  readonly name: string;
  run(context: C): PassResult;
}
