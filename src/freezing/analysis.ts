import type { Obstacle } from '../analysis/runnable/obstacle.js';
import type { HealthProblem, StatisticsRange } from '../analysis/state/health.js';
import type { Variable, Variables } from '../analysis/state/variables.js';
import type { BatchNorm } from '../analysis/training/batch_norms.js';
import type { Dropout } from '../analysis/training/dropouts.js';
import type { Flag } from '../analysis/training/flags.js';
import type { Problem } from '../analysis/training/problems.js';
import type { StoredNorm } from '../analysis/training/stored_statistics.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import type { Outcome } from '../passes/outcome.js';
import type { FreezePlan } from '../passes/pass.js';
import type { FreezeOptions } from './options.js';
import type { OutputsFound } from './outputs.js';
import type { FedBy } from './still_fed.js';

/**
 * Everything that is known about a model before anything is written: an immutable value, which `freeze` and `fold` share.
 * What is wrong with a graph is in `problems`; it stops {@link apply}, not the analysis.
 */
export interface Analysis {
  readonly model: Model;
  /** The options of the analysis. */
  readonly options: FreezeOptions;
  /**
   * The graph in its inference state, still with its training ops: functions inlined, inputs cut, flags pinned,
   * untaken branches removed. Do not change it.
   */
  readonly graph: Graph;
  readonly outputs: OutputsFound;
  /** Where the graph begins: tensors that the user named, or the ends of input pipelines. */
  readonly inputs: { readonly refs: readonly TensorRef[]; readonly source: 'given' | 'pipeline' };
  /** All variables of the graph. */
  readonly variables: Variables;
  /** The variables that feed an output at inference. */
  readonly needed: readonly Variable[];
  /** Training flags and other pinned values, as they are at inference. */
  readonly flags: readonly Flag[];
  /** The batch norms that feed an output (or a candidate, if outputs are ambiguous), in file order. */
  readonly batchNorms: readonly AnalysedBatchNorm[];
  /** Batch norms that feed no output (and no candidate), in file order. */
  readonly otherBatchNorms: readonly BatchNorm[];
  /** The batch norms whose statistics flags choose, and these flags. */
  readonly switched: ReadonlyMap<string, readonly string[]>;
  /** The momentum with which variables average, by variable. */
  readonly decays: ReadonlyMap<string, number>;
  /** Unfused batch norms that already use stored statistics. */
  readonly stored: readonly StoredBatchNorm[];
  /** The active dropouts, which {@link apply} removes. */
  readonly dropouts: readonly Dropout[];
  /** What the user wants to keep unchanged, and its kind. */
  readonly kept: readonly Kept[];
  /** Random ops that feed an output at inference. */
  readonly randomOps: readonly string[];
  /** Reductions over the batch that feed an output at inference. */
  readonly batchReductions: readonly string[];
  /** Variables that are used as statistics but were never updated, if the user allows it; excludes those of batch norms. */
  readonly untrainedAllowed: readonly string[];
  /** Batch norms in inference mode, fused and unfused, whose statistics are invalid. */
  readonly unhealthy: readonly Unhealthy[];
  /** What TensorFlow cannot run in the result, if the user wants to keep it. */
  readonly obstacles: readonly Obstacle[];
  /** Changes made while preparing the graph. */
  readonly prepared: readonly Outcome[];
  /** The edits that turn `graph` into the frozen graph. */
  readonly plan: FreezePlan;
  /** The placeholders that feed each output at inference. */
  readonly fed: FedBy;
  /** Outputs that depend on an input of the net. */
  readonly fedOutputs: readonly TensorRef[];
  /** Why the graph cannot be frozen; empty if it can. */
  readonly problems: readonly Problem[];
}

/** For how many output candidates the analysis determines which batch norms feed them. */
export const MAX_FED_CANDIDATES = 16;

/** A batch norm that feeds an output. */
export interface AnalysedBatchNorm extends BatchNorm {
  /** The outputs that it feeds (of candidates, the best {@link MAX_FED_CANDIDATES}), as `name:port`. */
  readonly feeds: readonly string[];
  /** Whether the user wants to keep it unchanged. */
  readonly isKept: boolean;
  /** What is wrong with the statistics that it uses, or will use; undefined if nothing is. */
  readonly health: HealthProblem | undefined;
  /** Their values; undefined if there are none, or if variables average parts of them. */
  readonly range: StatisticsRange | undefined;
}

/** An unfused batch norm that already normalises with stored statistics. */
export interface StoredBatchNorm {
  /** The op that takes the root of the variance. */
  readonly name: string;
  /** Whether it subtracts a stored mean: other roots of stored vectors are not batch norms. */
  readonly isBatchNorm: boolean;
  /** What it normalises with. */
  readonly norm: StoredNorm;
  readonly health: HealthProblem | undefined;
  readonly range: StatisticsRange | undefined;
}

/** Something that the user wants to keep unchanged. */
export interface Kept {
  readonly kind: 'batch_norm' | 'dropout' | 'random_op';
  /** Its name. */
  readonly node: string;
}

/** The part of an analysis that a refusal needs. */
export type Refusable = Pick<
  Analysis,
  'problems' | 'outputs' | 'graph' | 'model' | 'inputs' | 'batchNorms' | 'needed' | 'variables' | 'dropouts' | 'flags'
>;

/** A batch norm that normalises with invalid stored statistics. */
export interface Unhealthy {
  /** The op; for an unfused batch norm, the one that takes the root of the variance. */
  readonly batchNorm: string;
  readonly problem: HealthProblem;
}
