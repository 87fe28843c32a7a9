import type { Obstacle } from '../analysis/runnable/obstacle.js';
import type { MissingValue } from '../analysis/state/checkpoint_value.js';
import type { HealthProblem } from '../analysis/state/health.js';
import type { RandomOpProblem } from '../analysis/training/random_op_problem.js';
import type { Shape } from '../analysis/values/shapes.js';

/** The rules of `check`; docs/check.md has a section on each. */
export type RuleId =
  | 'training-batch-norm'
  | 'active-dropout'
  | 'random-op'
  | 'unpinned-flag'
  | 'invalid-statistics'
  | 'untrained-statistics'
  | 'tiny-variance'
  | 'batch-dependence'
  | 'missing-weights'
  | 'unreadable-checkpoint'
  | 'unfrozen-variables'
  | 'training-ops'
  | 'unnamed-input'
  | 'cannot-run'
  | 'stale-shapes';

/** How serious a finding is: a model with an `error` is affected. */
export type Level = 'error' | 'warn';

/** What `check` does with the findings of a rule. */
export type RuleLevel = Level | 'off';

/** Something that is wrong with a model, or suspicious. */
export interface Finding {
  readonly rule: RuleId;
  readonly level: Level;
  /** The node (or the variable) that it is about; undefined for the whole model. */
  readonly node: string | undefined;
  readonly detail: FindingDetail;
}

/** The facts of a finding. */
export type FindingDetail =
  /** A batch norm normalises with batch statistics. `stored`: its moving statistics are known, so that it can be repaired. */
  | { readonly code: 'batch_statistics'; readonly op: string; readonly stored: boolean }
  /** A batch norm normalises with batch statistics unless a flag gets another value than it has in the file. */
  | { readonly code: 'training_by_default'; readonly op: string; readonly flags: readonly FlagSetting[] }
  /** A dropout drops elements. `random`: the op that its mask is computed from, if it is not one op. */
  | { readonly code: 'dropout'; readonly random: string | undefined }
  /** A dropout drops elements unless a flag or a rate gets another value than it has in the file. */
  | { readonly code: 'dropout_by_default'; readonly flags: readonly FlagSetting[] }
  /** A random op feeds an output. */
  | { readonly code: 'random'; readonly op: string }
  /** A random op acts on data in a way that occurs only in training, and is no dropout. */
  | { readonly code: 'random_problem'; readonly random: string; readonly problem: RandomOpProblem }
  /** A placeholder or a variable switches between training and inference. `set`: in the file it has the value of inference. */
  | { readonly code: 'flag'; readonly flag: FlagSetting; readonly set: boolean }
  /** A placeholder of a single bool feeds an output, and no value of it was recognised as inference. */
  | { readonly code: 'unknown_flag' }
  | { readonly code: 'statistics'; readonly problem: HealthProblem }
  /** `epsilon` is at least as large as the variance in `below` of `channels` channels. */
  | {
      readonly code: 'epsilon_decides';
      readonly epsilon: number;
      readonly below: number;
      readonly channels: number;
      readonly smallest: number;
    }
  /** A reduction over the batch feeds an output, and no variable averages it. */
  | { readonly code: 'batch_reduction'; readonly op: string }
  /** The range of a fake quantisation, as each batch updates it, feeds an output. */
  | { readonly code: 'updated_range'; readonly variable: string }
  /** A variable holds the statistic of the last batch only; `averages` average the same statistic. */
  | { readonly code: 'last_batch'; readonly averages: readonly string[] }
  | { readonly code: 'missing_weight'; readonly value: MissingValue }
  /** A frozen graph still has variables, which have no value in the file. */
  | { readonly code: 'variables_left'; readonly variables: readonly string[] }
  /** Ops of the given kind that only training needs, and how many. */
  | { readonly code: 'training_ops'; readonly kind: TrainingOpKind; readonly count: number }
  /** A placeholder feeds an output and is no input of the signature. */
  | {
      readonly code: 'unnamed_input';
      readonly dtype: string;
      readonly shape: Shape;
      readonly signature: string;
    }
  | { readonly code: 'obstacle'; readonly obstacle: Obstacle }
  /** A lookup table is empty until its initialiser has run. */
  | { readonly code: 'uninitialised_table'; readonly initializer: string }
  /** TensorFlow does not define the op. */
  | { readonly code: 'custom_op'; readonly op: string }
  /** The attr `_output_shapes` contradicts what the ops output, in `count` tensors. The shapes are those of the first of them. */
  | { readonly code: 'stale_shapes'; readonly count: number; readonly stored: Shape; readonly actual: Shape };

/** What only training needs: gradients, optimizers, and the variables of optimizers. */
export type TrainingOpKind = 'gradient' | 'optimizer' | 'slot';

/** A flag and the value that it has at inference. */
export interface FlagSetting {
  /** The placeholder or the variable. */
  readonly name: string;
  /** At inference; a boolean for a boolean flag, otherwise a number. */
  readonly value: boolean | number;
}
