import { activeDropoutRule } from './rules/active_dropout.js';
import { batchDependence } from './rules/batch_dependence.js';
import { cannotRun } from './rules/cannot_run.js';
import { missingWeights, unreadableCheckpoint } from './rules/missing_weights.js';
import { randomOp } from './rules/random_op.js';
import type { Rule } from './rules/rule.js';
import { staleShapes } from './rules/stale_shapes.js';
import { invalidStatistics, untrainedStatistics } from './rules/statistics.js';
import { tinyVariance } from './rules/tiny_variance.js';
import { trainingBatchNorm } from './rules/training_batch_norm.js';
import { trainingOps } from './rules/training_ops.js';
import { unfrozenVariables } from './rules/unfrozen_variables.js';
import { unnamedInput } from './rules/unnamed_input.js';
import { unpinnedFlag } from './rules/unpinned_flag.js';

/** All rules, in the order in which their findings are reported. docs/check.md has a section on each. */
export const RULES: readonly Rule[] = [
  // Inference is wrong.
  trainingBatchNorm,
  activeDropoutRule,
  invalidStatistics,
  missingWeights,
  // Inference may be wrong.
  unpinnedFlag,
  untrainedStatistics,
  tinyVariance,
  batchDependence,
  randomOp,
  // It cannot be loaded or run everywhere.
  unreadableCheckpoint,
  cannotRun,
  unnamedInput,
  unfrozenVariables,
  trainingOps,
  staleShapes,
];
