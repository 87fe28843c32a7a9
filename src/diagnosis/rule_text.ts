import type { RuleId } from './finding.js';

const SUMMARIES: Readonly<Record<RuleId, string>> = {
  'training-batch-norm': 'A batch norm uses batch statistics at inference.',
  'active-dropout': 'A dropout, or another random op that only training needs, is active at inference.',
  'random-op': 'A random op feeds an output.',
  'unpinned-flag': 'A flag that switches between training and inference has to be fed.',
  'invalid-statistics': 'Stored statistics are NaN, infinite, negative, or of a wrong shape.',
  'untrained-statistics': 'Stored statistics were never updated.',
  'tiny-variance': 'A stored variance is so small that epsilon decides.',
  'batch-dependence': 'A reduction over the batch feeds an output, and no variable averages it.',
  'missing-weights': 'The values of weights are missing.',
  'unreadable-checkpoint': 'The checkpoint of the model cannot be read.',
  'unfrozen-variables': 'A frozen graph still has variables.',
  'training-ops': 'Gradients, optimizers or their state are left in a graph for serving.',
  'unnamed-input': 'A placeholder has to be fed, and is no input of the signature.',
  'cannot-run': 'A runtime cannot run an op.',
  'stale-shapes': 'The attr _output_shapes contradicts the graph.',
};

/** What a rule finds, in one sentence. docs/check.md says more. */
export function ruleSummary(rule: RuleId): string {
  return SUMMARIES[rule];
}
