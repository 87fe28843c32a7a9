import type { Comparison, Tolerance } from './compare.js';
import type { Unrunnable } from './runnable_part.js';

/** The four proofs. */
export type ProofName = 'batch_independence' | 'substitution' | 'statistics' | 'folding';

/** Why a proof was not made. */
export type SkipReason =
  /** The batch is always one example. */
  | { readonly code: 'batch_of_one' }
  /** No output has a batch axis. */
  | { readonly code: 'no_batch_axis' }
  /** An op combines rows of the first axis, though no reduction over it feeds an output: it is time, say, or the height of a picture. */
  | { readonly code: 'rows_combined'; readonly node: string; readonly op: string }
  /** Nothing was repaired: the graph is compared as it is. */
  | { readonly code: 'nothing_repaired' }
  /** What a loop computes cannot be read from outside. */
  | { readonly code: 'in_loop'; readonly node: string }
  /** An op cannot be run. */
  | {
      readonly code: 'cannot_run';
      readonly message: string;
      readonly where: string | undefined;
      readonly why: string | undefined;
    };

/** The result of one proof. */
export interface Proof {
  readonly name: ProofName;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly reason: SkipReason | undefined;
  /** The outputs of the graph, and what else was compared. */
  readonly outputs: readonly Comparison[];
  /** For batch independence: how far the saved graph is from it. */
  readonly saved: readonly Comparison[];
  /** The values in training that flags of the saved graph have for `saved`; undefined if no flag switches its batch norms. */
  readonly savedFlags: Readonly<Record<string, boolean>> | undefined;
  /** The first tensor, in the order of computation, that differs by more than the tolerance. */
  readonly firstDifference: Comparison | undefined;
  /** The batch norm that it belongs to; undefined for a tensor between batch norms. */
  readonly layer: string | undefined;
  /** For a tensor between batch norms: the nearest one before it. */
  readonly after: string | undefined;
  /** An activation that its op reads instead of another one, as `name:port`. */
  readonly rewired: { readonly reads: string; readonly insteadOf: string } | undefined;
  /** Inputs that became constants and are not statistics of a batch norm, as `node, input n`. */
  readonly unexplained: readonly string[];
}

/** What a batch norm outputs, before and after. */
export interface LayerReport {
  readonly name: string;
  /** The tensor that is compared. */
  readonly tensor: string;
  /** An element (the first, or the one that was asked for) of its input, and of its output in the saved and in the repaired graph. */
  readonly x: number | undefined;
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** What the formula gives for that element, in double precision; undefined if it is not a function of x and constants. */
  readonly expected: number | undefined;
  /** The output of the repaired graph compared with the one that its statistics give. */
  readonly error: Comparison | undefined;
}

/** The result of `verify`. */
export interface VerifyReport {
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly isRandom: boolean;
  }[];
  /** What was compared: the outputs, or tensors before ops that cannot be run. */
  readonly outputs: readonly string[];
  /** The ops that were left out. */
  readonly without: readonly Unrunnable[];
  readonly tolerance: Tolerance;
  readonly proofs: readonly Proof[];
  readonly layers: readonly LayerReport[];
  /** Whether no proof failed, and one at least of those of the repaired graph was made. */
  readonly passed: boolean;
}
