import { checkOptions } from '../check_options.js';
import type { Analysis } from '../freezing/analysis.js';
import type { Model } from '../graph/model.js';
import { ancestors } from '../graph/walk.js';
import { activeDropout } from './active_dropouts.js';
import { analyseForCheck } from './analyse_for_check.js';
import { type CheckOptions, levelsOf } from './check_options.js';
import type { CheckResult, CheckVerdict } from './check_result.js';
import type { Finding, FlagSetting, RuleId, RuleLevel } from './finding.js';
import { repairOf } from './repair.js';
import type { CheckContext, CheckpointProblem } from './rules/rule.js';
import { inTraining } from './rules/training_batch_norm.js';
import { RULES } from './rules.js';
import { savedScalars } from './saved_flags.js';

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
  const context = contextOf(analyseForCheck(model), problem);
  const findings = found(context, levels);
  const once = settingsToFeed(context);
  const verdict = verdictOf(findings, once);
  return {
    verdict,
    batchNorms: countOf(context),
    once,
    findings: [...findings.filter(isError), ...findings.filter((each) => !isError(each))],
    repair: verdict === 'affected' ? repairOf(context.analysis) : undefined,
  };
}

function contextOf(analysed: ReturnType<typeof analyseForCheck>, problem: CheckpointProblem | undefined): CheckContext {
  const { model, analysis, asSaved, flags } = analysed;
  const { graph, dropouts, outputs } = analysis;
  const saved = dropouts.length > 0 ? savedScalars(analysis) : new Map<string, number>();
  const ends = outputs.refs.map(({ node }) => node);
  return {
    model,
    analysis,
    asSaved,
    flags,
    dropouts: dropouts.map((dropout) => activeDropout(analysis, dropout, saved)),
    live: ancestors(graph, ends),
    checkpointProblem: problem ?? analysed.checkpointProblem,
    isForServing: isForServing(model, analysis),
  };
}

/** Whether a file is there to be run: a SavedModel with the tag `serve`, or a graph whose variables are constants. */
function isForServing({ kind, metaGraphDef }: Model, { variables }: Analysis): boolean {
  if (kind === 'saved_model') return metaGraphDef.meta_info_def?.tags?.includes('serve') ?? false;
  return kind === 'graph_def' && [...variables.byNode.values()].every(({ value }) => value !== undefined);
}

/** The findings of all rules that are not off. */
function found(context: CheckContext, levels: ReadonlyMap<RuleId, RuleLevel>): Finding[] {
  return RULES.flatMap((rule) => {
    const level = levels.get(rule.id) ?? rule.level;
    return level === 'off' ? [] : [...rule.find(context)].map((each) => ({ rule: rule.id, level, ...each }));
  });
}

function isError({ level }: Finding): boolean {
  return level === 'error';
}

/** Flags and rates that have no value in the file, or another one than that of inference. */
function settingsToFeed({ flags, dropouts }: CheckContext): FlagSetting[] {
  const settings = new Map<string, FlagSetting>();
  for (const { name, value, isInference } of flags) if (isInference !== true) settings.set(name, { name, value });
  for (const { offWith, isActive, needsFeed } of dropouts) {
    if (isActive || needsFeed) for (const setting of offWith) settings.set(setting.name, setting);
  }
  return [...settings.values()];
}

function verdictOf(findings: readonly Finding[], once: readonly FlagSetting[]): CheckVerdict {
  if (findings.some(isError)) return 'affected';
  return once.length > 0 ? 'ok_once' : 'ok';
}

function countOf({ asSaved }: CheckContext): CheckResult['batchNorms'] {
  const training = inTraining(asSaved);
  const { batchNorms, stored } = asSaved;
  const names = new Set([...batchNorms.map(({ name }) => name), ...training.keys()]);
  for (const { name, isBatchNorm } of stored) if (isBatchNorm) names.add(name);
  return { total: names.size, training: training.size };
}
