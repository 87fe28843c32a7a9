import { obstacleText } from '../freezing/obstacle_text.js';
import { randomOpProblemText } from '../freezing/random_op_text.js';
import { healthText, lastBatchText, missingText } from '../freezing/statistics_text.js';
import { countText, listed, plural, shapeText } from '../freezing/text.js';
import type { CheckSummary } from './check_report.js';
import type { CheckResult, ConvertAgain } from './check_result.js';
import type { Finding, FindingDetail, FlagSetting, RuleId, TrainingOpKind } from './finding.js';
import type { RuleCount } from './inspection.js';

// All sentences about diagnoses: findings and inspections are data, and this module turns them into text.

// --- Verdicts of `check` ---

/** The verdict on a model in one line. */
export function checkVerdictText(result: Pick<CheckResult, 'verdict' | 'batchNorms' | 'once' | 'findings'>): string {
  const warnings = result.findings.filter(({ level }) => level === 'warn').length;
  const more = warnings > 0 ? `, ${plural(warnings, 'warning')}` : '';
  switch (result.verdict) {
    case 'ok':
      return `ok${more}`;
    case 'ok_once':
      return `ok once ${settingsText(result.once)}${more}`;
    case 'affected':
      return `AFFECTED ${affectedText(result)}`;
  }
}

function affectedText({ batchNorms, findings }: Pick<CheckResult, 'batchNorms' | 'findings'>): string {
  const errors = new Map<RuleId, Finding[]>();
  for (const finding of findings) {
    if (finding.level !== 'error') continue;
    const ofRule = errors.get(finding.rule);
    if (ofRule) ofRule.push(finding);
    else errors.set(finding.rule, [finding]);
  }
  return [...errors].map(([rule, found]) => ruleText(rule, found, batchNorms)).join('; ');
}

function ruleText(rule: RuleId, found: readonly Finding[], { total }: CheckResult['batchNorms']): string {
  if (rule === 'missing-weights' && found.some(({ node }) => node === undefined)) {
    return 'the checkpoint belongs to another model';
  }
  const isDropout = found.every(({ detail }) => detail.code !== 'random_problem');
  return `${errorText({ rule, count: found.length }, total, isDropout)}${unlessText(found)}`;
}

/**
 * The findings of a rule in a few words.
 * @param total - the batch norms of the model
 * @param isDropout - whether all active random ops are dropouts
 */
export function errorText({ rule, count }: RuleCount, total: number, isDropout: boolean): string {
  switch (rule) {
    case 'training-batch-norm': {
      const use = count === 1 ? 'uses' : 'use';
      return `${countText(count)} of ${plural(Math.max(total, count), 'batch norm')} ${use} batch statistics at inference`;
    }
    case 'active-dropout':
      return `${plural(count, isDropout ? 'dropout' : 'random op')} active at inference`;
    case 'invalid-statistics':
      if (total === 0) return `${countText(count)} ${count === 1 ? 'bias' : 'biases'} with NaN or infinity`;
      // Mean and variance are two findings of one batch norm.
      return `${plural(Math.min(count, total), 'batch norm')} with invalid statistics`;
    case 'missing-weights':
      return `${plural(count, 'weight')} missing in the checkpoint`;
    default:
      return `${plural(count, 'finding')} of ${rule}`;
  }
}

/** What turns off all of some findings, if one setting does. */
function unlessText(found: readonly Finding[]): string {
  const settings = new Set(
    found.map(({ detail }) => ('flags' in detail && detail.flags.length > 0 ? settingsText(detail.flags) : '')),
  );
  const [setting] = settings;
  return settings.size === 1 && setting !== '' ? ` unless ${setting}` : '';
}

/** The last line: `3 of 12 models are affected`. */
export function summaryText({ models, affected, okOnce, failed, warnings }: CheckSummary): string {
  const isOne = affected === 1 || (affected === 0 && models === 1);
  return [
    `${countText(affected)} of ${plural(models, 'model')} ${isOne ? 'is' : 'are'} affected`,
    ...(okOnce > 0 ? [`${countText(okOnce)} ${okOnce === 1 ? 'needs its' : 'need their'} flags set`] : []),
    ...(failed > 0 ? [`${countText(failed)} could not be checked`] : []),
    ...(warnings > 0 ? [plural(warnings, 'warning')] : []),
  ].join(', ');
}

// --- Findings of `check` ---

/** What a finding says of its node, without the name of the node. */
export function findingText(detail: FindingDetail): string {
  switch (detail.code) {
    case 'batch_statistics':
      return detail.stored
        ? 'uses batch statistics at inference; its moving averages are in the model'
        : 'uses batch statistics at inference, and no moving averages were found for it';
    case 'training_by_default':
      return `uses batch statistics at inference unless ${settingsText(detail.flags)}`;
    case 'dropout':
      return detail.random === undefined
        ? 'drops elements at inference'
        : `drops elements at inference (${detail.random})`;
    case 'dropout_by_default':
      return `drops elements at inference unless ${settingsText(detail.flags)}`;
    case 'random':
      return `${detail.op} feeds an output, so results differ from run to run`;
    case 'random_problem':
      return `changes data at random, in a way that occurs only in training: ${randomOpProblemText(detail.problem)}`;
    case 'flag':
      return detail.set
        ? `switches between training and inference; the file sets it to inference (${detail.flag.value})`
        : `switches between training and inference, and has to be fed: ${settingsText([detail.flag])}`;
    case 'unknown_flag':
      return 'may switch between training and inference, and has to be fed: no value was recognised as inference';
    case 'statistics':
      return healthText(detail.problem);
    case 'epsilon_decides': {
      const { channels, below, epsilon, smallest } = detail;
      const which =
        channels === 1 ? 'its variance' : `the variance of ${countText(below)} of ${plural(channels, 'channel')}`;
      return `${which} is smaller than epsilon (${numberText(epsilon)}); the smallest is ${numberText(smallest)}`;
    }
    case 'batch_reduction':
      return `${detail.op} over the batch feeds an output: results may depend on the other examples of a batch`;
    case 'updated_range':
      return `updates ${detail.variable} with the range of each batch, and feeds an output: results depend on earlier batches`;
    case 'last_batch':
      return `holds only the statistic of the last batch: ${lastBatchText(detail.averages)}`;
    case 'missing_weight':
      return missingText(detail.value);
    case 'variables_left':
      return `${plural(detail.variables.length, 'variable')} left in a graph that calls itself frozen: ${listed(detail.variables, 3)}`;
    case 'training_ops':
      return `${plural(detail.count, TRAINING_OPS[detail.kind])} left in a graph for serving`;
    case 'unnamed_input': {
      const { dtype, shape, signature } = detail;
      return `has to be fed (${dtype} ${shapeText(shape)}), and is no input of the signature ${signature}`;
    }
    case 'obstacle':
      return obstacleText(detail.obstacle).why;
    case 'uninitialised_table':
      return `is an empty lookup table until ${detail.initializer} has run, and nothing that the outputs need runs it`;
    case 'custom_op':
      return `TensorFlow does not define ${detail.op}: the program that loads the graph needs the library that does`;
    case 'stale_shapes': {
      const others = detail.count > 1 ? `, and ${plural(detail.count - 1, 'other tensor')}` : '';
      return `_output_shapes says ${shapeText(detail.stored)}, and the op outputs ${shapeText(detail.actual)}${others}`;
    }
  }
}

const TRAINING_OPS: Readonly<Record<TrainingOpKind, string>> = {
  gradient: 'gradient op',
  optimizer: 'op of an optimizer',
  slot: 'variable of an optimizer',
};

/** `training=false and keep_prob=1`. */
export function settingsText(flags: readonly FlagSetting[]): string {
  return flags.map(({ name, value }) => `${name}=${value}`).join(' and ');
}

/** Three significant digits. */
function numberText(number: number): string {
  return String(Number(number.toPrecision(3)));
}

// --- What to do about an affected model ---

/** Why `freeze` refuses a model. @param command - shows the fixes */
export function refusedText(message: string, command: string): string {
  return `freeze refuses it: ${message} (${command} shows the fixes)`;
}

/** How to repair a model that was converted. @param command - what repairs and converts the TensorFlow model that it was converted from */
export function convertText({ from, producer = '' }: ConvertAgain, command: string): string {
  if (from === 'onnx' && /^pytorch/i.test(producer)) {
    return 'export it again in inference mode: model.eval(), then torch.onnx.export(model, ...) without training=...';
  }
  const isOfTensorFlow = from === 'tfjs' || producer === 'tf2onnx';
  const start = isOfTensorFlow
    ? 'repair'
    : `export it again in inference mode${producer ? ` with ${producer}` : ''}, or repair`;
  return `${start} the TensorFlow model that it was converted from, and convert that: ${command}`;
}

// --- Beside the results of `check` ---

/** Files with the name of a model that are something else. */
export function skippedText(paths: readonly string[]): string {
  return `skipped ${plural(paths.length, 'file')} that ${paths.length === 1 ? 'is no model' : 'are no models'}: ${listed(paths, 3)}`;
}

/** Why `check` fails although no model is affected. */
export function warningsText(warnings: number, allowed: number): string {
  return `${plural(warnings, 'warning')}, and ${countText(allowed)} ${allowed === 1 ? 'is' : 'are'} allowed`;
}
