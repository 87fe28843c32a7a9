import { basename, dirname, join } from 'node:path';
import type { CheckedFile, ModelFile } from '../../checkable.js';
import type { ModelError, ModelReport } from '../../diagnosis/check_report.js';
import type { ConvertAgain, Repair } from '../../diagnosis/check_result.js';
import { checkVerdictText, convertText, findingText, refusedText } from '../../diagnosis/wording.js';
import { BnfixError, fixText } from '../../errors.js';
import { printableData } from '../../printable.js';
import { shellQuoted } from '../../quoted.js';
import { flagText } from '../flags.js';
import { proposedName } from '../freeze_request.js';

/** The report on a model that was checked. @param tag - the tags of its graph, if they were named */
export function modelReport({ path, file }: ModelFile, { kind, result }: CheckedFile, tag?: string): ModelReport {
  const { verdict, batchNorms, once, findings, repair } = result;
  return {
    path,
    file,
    kind,
    verdict,
    text: checkVerdictText(printableData(result)),
    batchNorms,
    once,
    findings: findings.map((finding) => ({ ...finding, message: findingText(printableData(finding.detail)) })),
    repair: repair?.code === 'freeze' ? freezeCommand(path, repair, tag) : undefined,
    note: repair && noteOf(path, repair, tag),
    error: undefined,
  };
}

/** The report on a model that could not be checked. */
export function failedReport(path: string, thrown: unknown, file = path): ModelReport {
  const error = modelError(thrown);
  return {
    path,
    file,
    kind: undefined,
    verdict: 'failed',
    text: `FAILED ${printableData(error.message)}`,
    batchNorms: { total: 0, training: 0 },
    once: [],
    findings: [],
    repair: undefined,
    note: undefined,
    error,
  };
}

function modelError(thrown: unknown): ModelError {
  const error = thrown instanceof BnfixError ? thrown : new BnfixError('internal', messageOf(thrown));
  const { code, message, where, whyLines, fixes } = error;
  return { code, message, where, why: whyLines, fixes: fixes.map((fix) => fixText(fix, flagText)) };
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

/** The command that repairs a model; the result is written next to it. */
function freezeCommand(path: string, repair: Extract<Repair, { code: 'freeze' }>, tag: string | undefined): string {
  const { outputs, needsCheckpoint } = repair;
  const words = freezeWords(path, outputs, tag);
  if (needsCheckpoint) words.push('--checkpoint PREFIX');
  words.push(flagText('output', join(dirname(path), proposedName(basename(path)))));
  return words.join(' ');
}

function freezeWords(path: string, outputs: readonly string[], tag: string | undefined): string[] {
  const words = ['bnfix freeze', shellQuoted(path)];
  if (tag !== undefined) words.push(flagText('tag', tag));
  if (outputs.length > 0) words.push(flagText('outputs', outputs.join(',')));
  return words;
}

/** The commands that repair a TensorFlow model and convert it once more. */
function convertCommand(path: string, { from, inputs, outputs }: ConvertAgain): string {
  const names = (values: readonly string[]) => (values.length > 0 ? shellQuoted(values.join(',')) : 'NAMES');
  const freeze = 'bnfix freeze MODEL -o frozen.pb';
  if (from === 'tfjs') {
    const folder = shellQuoted(`${dirname(path)}.fixed`);
    return `${freeze} && tensorflowjs_converter --input_format=tf_frozen_model --output_node_names=${names(outputs)} frozen.pb ${folder}`;
  }
  const ends = `--inputs ${names(inputs)} --outputs ${names(outputs)}`;
  return `${freeze} && python -m tf2onnx.convert --graphdef frozen.pb ${ends} --output ${shellQuoted(fixedName(path))}`;
}

/** The name of a repaired file next to the one that was checked: `model.fixed.onnx`. */
function fixedName(path: string): string {
  return path.replace(/(\.[^./\\]*)?$/, '.fixed$1');
}

function noteOf(path: string, repair: Repair, tag: string | undefined): string | undefined {
  switch (repair.code) {
    case 'freeze':
      return undefined;
    case 'refused':
      return refusedText(
        printableData(repair.message),
        [...freezeWords(path, repair.outputs, tag), '--dry-run'].join(' '),
      );
    case 'convert':
      return convertText(printableData(repair), convertCommand(path, repair));
  }
}
