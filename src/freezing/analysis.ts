import type { HealthProblem } from '../analysis/state/health.js';
import type { Variable, Variables } from '../analysis/state/variables.js';
import type { BatchNorm } from '../analysis/training/batch_norms.js';
import type { Dropout } from '../analysis/training/dropouts.js';
import type { Flag } from '../analysis/training/flags.js';
import type { Problem } from '../analysis/training/problems.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import type { Outcome } from '../passes/outcome.js';
import type { FreezePlan } from '../passes/pass.js';
import type { FreezeOptions } from './options.js';
import type { OutputsFound } from './outputs.js';
import type { FedBy } from './still_fed.js';

/**
 * All that is known of a model before anything is written: an immutable value. `check`, `inspect`, `freeze` and `fold` read
 * the same one. What is found wrong with a graph is in `problems`, and stops {@link apply}, not the analysis.
 */
export interface Analysis {
  readonly model: Model;
  /** The options that it was made with. */
  readonly options: FreezeOptions;
  /**
   * The graph as it is at inference, with the training machinery still in it: functions inlined, inputs cut, flags pinned,
   * untaken branches dropped. Not to be changed.
   */
  readonly graph: Graph;
  readonly outputs: OutputsFound;
  /** Where the graph begins: tensors that the user named, or the ends of input pipelines. */
  readonly inputs: { readonly refs: readonly TensorRef[]; readonly source: 'given' | 'pipeline' };
  /** All variables of the graph. */
  readonly variables: Variables;
  /** The variables that feed an output at inference. */
  readonly needed: readonly Variable[];
  /** Training flags and what else is pinned, with the values of inference. */
  readonly flags: readonly Flag[];
  /** The batch norms that feed an output (or a candidate, where outputs are not clear), in file order. */
  readonly batchNorms: readonly AnalysedBatchNorm[];
  /** The dropouts that are active, and are to be removed. */
  readonly dropouts: readonly Dropout[];
  /** What the user wants left as it is, and what that is. */
  readonly kept: readonly Kept[];
  /** Random ops that feed an output at inference. */
  readonly randomOps: readonly string[];
  /** Reductions over the batch that feed an output at inference. */
  readonly batchReductions: readonly string[];
  /** Variables that are in use as statistics and were never updated, where the user allows it; those of batch norms apart. */
  readonly untrainedAllowed: readonly string[];
  /** Batch norms in inference mode, fused and unfused, whose statistics cannot be right. */
  readonly unhealthy: readonly Unhealthy[];
  /** What preparing the graph did. */
  readonly prepared: readonly Outcome[];
  /** What makes the frozen graph out of `graph`. */
  readonly plan: FreezePlan;
  /** The placeholders that feed each output at inference. */
  readonly fed: FedBy;
  /** Outputs that depend on what the net is fed. */
  readonly fedOutputs: readonly TensorRef[];
  /** Why the graph cannot be frozen, where it cannot. */
  readonly problems: readonly Problem[];
}

/** Of so many candidates for outputs, the analysis tells which batch norms feed them. */
export const MAX_FED_CANDIDATES = 16;

/** A batch norm that feeds an output. */
export interface AnalysedBatchNorm extends BatchNorm {
  /** The outputs that it feeds (of candidates, the best {@link MAX_FED_CANDIDATES}), as `name:port`. */
  readonly feeds: readonly string[];
  /** Whether the user wants it left as it is. */
  readonly isKept: boolean;
  /** What is wrong with the statistics that it uses, or is to use; undefined where nothing is. */
  readonly health: HealthProblem | undefined;
}

/** Something that the user wants left as it is. */
export interface Kept {
  readonly kind: 'batch_norm' | 'dropout' | 'random_op';
  /** Its name. */
  readonly node: string;
}

/** What a refusal reads. */
export type Refusable = Pick<Analysis, 'problems' | 'outputs' | 'graph' | 'model'>;

/** A batch norm that normalises with stored statistics which cannot be right. */
export interface Unhealthy {
  /** The op; of arithmetic, the one that takes the root of the variance. */
  readonly batchNorm: string;
  readonly problem: HealthProblem;
}
