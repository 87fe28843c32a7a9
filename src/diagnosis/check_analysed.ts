import type { Analysis } from '../freezing/analysis.js';
import type { Model } from '../graph/model.js';
import { ancestors } from '../graph/walk.js';
import { activeDropout } from './active_dropouts.js';
import type { Analysed } from './analyse_for_check.js';
import type { CheckResult, CheckVerdict } from './check_result.js';
import type { Finding, FlagSetting, RuleId, RuleLevel } from './finding.js';
import { inTraining } from './in_training.js';
import type { CheckContext, CheckpointProblem } from './rules/rule.js';
import { RULES } from './rules.js';
import { savedScalars } from './saved_flags.js';

/** The verdict on a model, for `check` and `inspect`: all findings, without what repairs them. */
export function checkAnalysed(
  analysed: Analysed,
  levels: ReadonlyMap<RuleId, RuleLevel>,
  problem?: CheckpointProblem,
): Omit<CheckResult, 'repair'> {
  const context = contextOf(analysed, problem);
  const findings = found(context, levels);
  const once = settingsToFeed(context);
  return {
    verdict: verdictOf(findings, once),
    batchNorms: countOf(context),
    once,
    findings: [...findings.filter(isError), ...findings.filter((each) => !isError(each))],
  };
}

function contextOf(analysed: Analysed, problem: CheckpointProblem | undefined): CheckContext {
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

/** Those that normalise each example by itself do not count. */
function countOf({ asSaved }: CheckContext): CheckResult['batchNorms'] {
  const { users: training } = inTraining(asSaved);
  const { batchNorms, stored } = asSaved;
  const ofBatches = batchNorms.filter(({ status }) => status.kind !== 'per_example');
  const names = new Set([...ofBatches.map(({ name }) => name), ...training.keys()]);
  for (const { name, isBatchNorm } of stored) if (isBatchNorm) names.add(name);
  return { total: names.size, training: training.size };
}
