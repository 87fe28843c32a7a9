import { checkOptions } from '../check_options.js';
import type { Model } from '../graph/model.js';
import { analyseForCheck } from './analyse_for_check.js';
import { checkAnalysed } from './check_analysed.js';
import { type CheckOptions, levelsOf } from './check_options.js';
import type { CheckResult } from './check_result.js';
import { repairOf } from './repair.js';
import type { CheckpointProblem } from './rules/rule.js';

/**
 * Checks what a model does at inference: whether its batch norms use batch statistics, its dropouts are active, its statistics
 * are sane. Needs no outputs and no checkpoint; reads no weights but statistics and flags. Does not change the model.
 *
 * @throws BnfixError `usage` for an unknown rule, `unreadable` when the graph contradicts itself
 * @example
 * import { check, load } from 'bnfix';
 * const model = await load('model.meta');
 * const { verdict, batchNorms, findings } = check(model);
 * [verdict, batchNorms.training, findings[0].rule]; // ['affected', 4, 'training-batch-norm']
 * model.close();
 */
export function check(model: Model, options: CheckOptions = {}): CheckResult {
  return checkModel(model, options);
}

/**
 * The same for a model whose checkpoint may not be readable.
 * @param problem - why it was loaded without its checkpoint
 */
export function checkModel(model: Model, options: CheckOptions, problem?: CheckpointProblem): CheckResult {
  checkOptions('check', options, { rules: 'record' });
  const levels = levelsOf(options);
  const analysed = analyseForCheck(model);
  const result = checkAnalysed(analysed, levels, problem);
  return { ...result, repair: result.verdict === 'affected' ? repairOf(analysed.analysis) : undefined };
}
