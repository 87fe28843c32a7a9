import pc from 'picocolors';
import type { BatchNormReport, FreezeReport, TensorInfo } from '../freezing/report.js';
import { countText, listed, shapeText } from '../freezing/text.js';
import {
  evidenceText,
  leftText,
  noticeText,
  outcomesText,
  outcomeText,
  outputReasonText,
  flagText as pinnedText,
} from '../freezing/wording.js';
import type { FileHash } from '../load.js';
import type { Outcome } from '../passes/outcome.js';
import { flagText } from './flags.js';
import { byteText } from './format.js';
import { nullForUndefined } from './json.js';
import { version } from './version.js';

/** How the result was written. */
export interface Written {
  /** `-` is stdout; undefined when nothing was written. */
  readonly path: string | undefined;
  readonly format: 'pb' | 'pbtxt';
  readonly bytes: number;
  /** The hash of these bytes in hexadecimal; undefined if it was not requested. */
  readonly sha256: string | undefined;
  /** Whether the file was read again and compared. */
  readonly verified: boolean;
  /** What this format cannot represent. */
  readonly notes: readonly string[];
  /** The files that were read; empty if no hashes were requested. */
  readonly read: readonly FileHash[];
}

/** How a report is shown. */
export interface ReportStyle {
  /** Show each batch norm, not only their number. */
  readonly verbose: boolean;
  readonly color: boolean;
}

/**
 * The report for machines: the FreezeReport, the files that were `read`, and `written` (null in a dry run). Absent values
 * are null. docs/report.schema.json describes it.
 */
export function jsonReport(report: FreezeReport, { read, path, ...file }: Written, command = 'freeze'): string {
  const written = path === undefined ? null : { path, ...file };
  return JSON.stringify({ bnfix: version(), command, ...report, read, written }, nullForUndefined, 2);
}

/** A label of the report and its lines. */
export type Row = readonly [label: string, lines: readonly string[]];

/** The report for people: what was found, what was done and on which evidence, and what to do next. */
export function reportText(
  report: FreezeReport,
  written: Written,
  style: ReportStyle,
  more: readonly Row[] = [],
): string {
  const colors = pc.createColors(style.color);
  const { model, checkpoint, inputs, outputs } = report;
  const rows: Row[] = [
    ['model', [`${model.name}  (TensorFlow ${model.tensorflow ?? 'version unknown'})`]],
    ['checkpoint', [checkpoint ?? 'none']],
    [inputs.length === 1 ? 'input' : 'inputs', tensorLines(inputs, style)],
    [
      outputs.length === 1 ? 'output' : 'outputs',
      [...tensorLines(outputs, style), colors.dim(outputReasonText(report.outputReason, flagText('outputs')))],
    ],
    ['batch norms', batchNormLines(report, style)],
    ['also', otherLines(report, style)],
    ...more,
    ['notes', [...report.notices.map((notice) => noticeText(notice, flagText)), ...written.notes]],
    ['', sizeLines(report, written).map((line, i) => (i === 0 ? colors.dim(line) : line))],
    writtenRow(written),
    ['sha256', style.verbose ? hashLines(written) : []],
    ['next', nextLines(report, written)],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows
    .filter(([, lines]) => lines.length > 0)
    .flatMap(([label, lines]) => lines.map((line, i) => `${colors.bold((i ? '' : label).padEnd(width))}  ${line}`))
    .join('\n');
}

const SHOWN = 4;

function tensorLines(tensors: readonly TensorInfo[], { verbose }: ReportStyle): string[] {
  if (tensors.length === 0) return ['none'];
  const shown = verbose ? tensors : tensors.slice(0, SHOWN);
  const lines = shown.map(({ name, dtype, shape }) => `${name}  ${dtype} ${shapeText(shape)}`);
  return shown.length < tensors.length ? [...lines, `and ${tensors.length - shown.length} more (-v)`] : lines;
}

/** Outcomes of every result, or reported elsewhere. */
const ALWAYS: ReadonlySet<Outcome['kind']> = new Set(['stripped', 'pruned_function', 'simplified']);

/** Whether nothing had to be done: the report says so instead of counting zeros. */
function isUnchanged({ batchNorms, outcomes }: FreezeReport): boolean {
  return outcomes.every(({ kind }) => ALWAYS.has(kind)) && batchNorms.every(({ status }) => status === 'inference');
}

function batchNormLines(report: FreezeReport, { verbose }: ReportStyle): string[] {
  const groups = new Map<string, BatchNormReport[]>();
  for (const batchNorm of report.batchNorms) {
    const key = [batchNorm.pattern, batchNorm.status, batchNorm.reason].join();
    groups.set(key, [...(groups.get(key) ?? []), batchNorm]);
  }
  const lines = [...groups.values()].flatMap((group) => [
    groupLine(group, report),
    ...(verbose ? group.flatMap(siteLines) : []),
  ]);
  if (lines.length === 0) lines.push('none feeds an output');
  if (isUnchanged(report)) lines.push('nothing to repair: the graph is already frozen and in inference mode');
  return lines;
}

function groupLine(group: readonly BatchNormReport[], { flags }: FreezeReport): string {
  const [first] = group as [BatchNormReport];
  const what = first.pattern === 'unfused' ? 'unfused batch norm' : first.pattern;
  const count = countText(group.length);
  if (first.status === 'inference') {
    return `${count} already in inference mode${flags.length > 0 ? ' (with the flags below)' : ''} (${what})`;
  }
  if (first.status !== 'repaired') return `${count} left (${what}): ${leftText(first, flagText('keep'))}`;
  const kinds = new Map<string, number>();
  for (const { evidence } of group) {
    const kind = evidence?.kind ?? 'its parts';
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const matched = [...kinds].map(([kind, n]) => (kinds.size === 1 ? kind : `${kind} ${n}`)).join(', ');
  return `${count} repaired (${what}): batch statistics -> moving averages, matched by ${matched}`;
}

function siteLines({ name, status, evidence, mean, variance }: BatchNormReport): string[] {
  if (status !== 'repaired') return [`  ${name}`];
  if (!evidence || mean === undefined || variance === undefined) {
    return [`  ${name}`, '    variables that average parts of it now replace them'];
  }
  return [`  ${name}  <-  ${mean}, ${variance}`, `    ${evidenceText(evidence, mean, variance)}`];
}

/** Changes other than batch norms; flags are listed by name, since their values were inferred. */
function otherLines({ outcomes, flags, kept }: FreezeReport, { verbose }: ReportStyle): string[] {
  const kinds = new Map<Outcome['kind'], number>();
  for (const { kind } of outcomes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const texts = [...kinds].flatMap(([kind, count]) => outcomesText(kind, count) ?? []);
  const lines = texts.length > 0 ? [texts.join(', ')] : [];
  const flagLines = flags.map((flag) => `  ${pinnedText(flag)}`);
  if (verbose) {
    const others = outcomes.filter(({ kind }) => kind !== 'batch_norm' && kind !== 'flag');
    lines.push(...flagLines, ...others.map((outcome) => `  ${outcomeText(outcome)}`));
  } else if (flags.length > SHOWN) lines.push(`  ${flags.length} flags (-v lists them)`);
  else lines.push(...flagLines);
  const left = kept.filter(({ kind }) => kind !== 'batch_norm').map(({ node }) => node);
  return left.length === 0 ? lines : [...lines, `left active (${flagText('keep')}): ${listed(left, 3)}`];
}

function sizeLines({ before, after }: FreezeReport, written: Written): string[] {
  const rows: [string, string, string][] = [
    ['', 'before', 'after'],
    ['nodes', countText(before.nodes), countText(after.nodes)],
    ['ops', countText(before.ops), countText(after.ops)],
    ['bytes', countText(before.bytes), countText(written.bytes)],
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map(([label, ...cells]) =>
    [label.padEnd(widths[0]!), ...cells.map((cell, i) => cell.padStart(widths[i + 1]!))].join('  '),
  );
}

/** As sha256sum prints them. */
function hashLines({ read, path, sha256 }: Written): string[] {
  const files = read.map((file) => `${file.sha256}  ${file.path}`);
  return path === undefined || sha256 === undefined ? files : [...files, `${sha256}  ${path}`];
}

function writtenRow({ path, bytes, verified }: Written): Row {
  if (path === undefined) return ['dry run', ['every weight was read and checked; nothing was written']];
  return [
    'written',
    [`${path === '-' ? 'to stdout' : path}  (${byteText(bytes)}${verified ? ', read again and compared' : ''})`],
  ];
}

/** How to use the result. */
function nextLines({ inputs, outputs }: FreezeReport, { path }: Written): string[] {
  if (path === undefined) return ['run the same command with -o FILE and without --dry-run'];
  const feeds = inputs.slice(0, SHOWN).map(({ name }, i) => `'${name}': ${inputs.length === 1 ? 'x' : `x${i}`}`);
  const fetches = outputs.slice(0, SHOWN).map(({ name }) => `'${name}'`);
  return [
    `in TensorFlow, after tf.import_graph_def(graph_def, name=''):`,
    `sess.run([${fetches.join(', ')}], {${feeds.join(', ')}})`,
  ];
}
