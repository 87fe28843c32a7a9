import pc from 'picocolors';
import { type BatchNormReport, type FreezeReport, shapeText, type TensorInfo } from '../freezing/report.js';
import type { Remark } from '../passes/pass.js';
import { byteText, countText, plural, someNames } from './format.js';
import { nullForUndefined } from './json.js';
import { version } from './version.js';

/** What became of the result. */
export interface Written {
  /** `-` is stdout; undefined when nothing was written. */
  readonly path: string | undefined;
  readonly format: 'pb' | 'pbtxt';
  readonly bytes: number;
  /** What this form could not hold. */
  readonly notes: readonly string[];
}

export interface ReportStyle {
  /** Show each site, not only how many there are. */
  readonly verbose: boolean;
  readonly color: boolean;
}

/** The report for machines: the FreezeReport, and `written` (null in a dry run). Absent values are null. */
export function jsonReport(report: FreezeReport, { path, format, bytes }: Written, command = 'freeze'): string {
  const written = path === undefined ? null : { path, format, bytes };
  return JSON.stringify({ bnfix: version(), command, ...report, written }, nullForUndefined, 2);
}

/** Lines of a report behind a label. */
export type Row = readonly [label: string, lines: readonly string[]];

/** The report for people: what was found, what was done on which evidence, and what to do next. */
export function reportText(
  report: FreezeReport,
  written: Written,
  style: ReportStyle,
  more: readonly Row[] = [],
): string {
  const colors = pc.createColors(style.color);
  const { model, checkpoint, inputs, outputs } = report;
  const rows: Row[] = [
    ['model', [`${model.name}  (TensorFlow ${model.tensorflow ?? 'version not said'})`]],
    ['checkpoint', [checkpoint ?? 'none']],
    [inputs.length === 1 ? 'input' : 'inputs', tensorLines(inputs, style)],
    [outputs.length === 1 ? 'output' : 'outputs', [...tensorLines(outputs, style), colors.dim(report.outputsWhy)]],
    ['batch norms', batchNormLines(report, style)],
    ['also', otherLines(report, style)],
    ...more,
    ['notes', report.notes],
    ['', sizeLines(report, written).map((line, i) => (i === 0 ? colors.dim(line) : line))],
    writtenRow(written),
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

/** Nothing had to be done: the report says so instead of counting zeros. */
function isUnchanged({ batchNorms, passes }: FreezeReport): boolean {
  const removes = new Set(['strip_training', 'clean_nodes']);
  const done = passes.some(({ pass, changed }) => !removes.has(pass) && changed.length > 0);
  return !done && batchNorms.every(({ action }) => action === 'inference already');
}

function batchNormLines(report: FreezeReport, { verbose }: ReportStyle): string[] {
  const groups = new Map<string, BatchNormReport[]>();
  for (const site of report.batchNorms) {
    const key = `${site.form}\n${site.action}\n${site.action === 'repaired' ? '' : site.evidence}`;
    groups.set(key, [...(groups.get(key) ?? []), site]);
  }
  const lines = [...groups.values()].flatMap((sites) => [
    groupLine(sites, report),
    ...(verbose ? sites.flatMap(siteLines) : []),
  ]);
  if (lines.length === 0) lines.push('none on the way to the outputs');
  if (isUnchanged(report)) lines.push('nothing changes: the graph is frozen, and nothing in it is in training mode');
  return lines;
}

function groupLine(sites: readonly BatchNormReport[], { passes }: FreezeReport): string {
  const { form, action, evidence } = sites[0]!;
  const what = `${countText(sites.length)} ${form}`;
  if (action === 'inference already') {
    const isPinned = passes.some(({ pass, changed }) => pass === 'pin_flags' && changed.length > 0);
    return `${what}: in inference mode ${isPinned ? 'by the flags below' : 'already'}`;
  }
  if (action === 'left') return `${what}: left in training mode: ${evidence}`;
  const kinds = new Map<string, number>();
  for (const site of sites) {
    const kind = site.evidence.split(':')[0]!;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const counts = [...kinds].map(([kind, count]) => (kinds.size === 1 ? kind : `${kind} ${count}`));
  return `${what}: were in training mode, use their moving statistics now (evidence: ${counts.join(', ')})`;
}

function siteLines({ name, action, evidence, mean, variance }: BatchNormReport): string[] {
  if (action !== 'repaired') return [`  ${name}`];
  return [mean === undefined ? `  ${name}` : `  ${name}  <-  ${mean}, ${variance}`, `    ${evidence}`];
}

/** Passes whose work is told elsewhere in the report. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'bypass_identity_n',
  'rewire_batch_norms',
  'strip_training',
  'clean_nodes',
]);

const PASS_TEXTS: Readonly<Record<string, (count: number) => string>> = {
  cut_inputs: (count) => `cut at ${plural(count, 'input')}`,
  pin_flags: (count) => `pinned ${plural(count, 'flag')}`,
  fold_branches: (count) => `resolved ${plural(count, 'switch', 'switches')}`,
  remove_dropout: (count) => `removed ${plural(count, 'dropout')}`,
  freeze_variables: (count) => `made constants of ${plural(count, 'variable')}`,
};

/** What was done beside the batch norms; flags are named, as they were chosen by what they switch. */
function otherLines({ passes }: FreezeReport, { verbose }: ReportStyle): string[] {
  const others = passes.filter(({ pass }) => !ELSEWHERE.has(pass));
  const done = others.filter(({ changed }) => changed.length > 0);
  const texts = done.map(({ pass, changed }) => PASS_TEXTS[pass]?.(changed.length) ?? `${pass}: ${changed.length}`);
  const lines = texts.length > 0 ? [texts.join(', ')] : [];
  const line = ({ node, text }: Remark) => `  ${node}: ${text}`;
  if (verbose) return [...lines, ...done.flatMap(({ changed }) => changed.map(line)), ...leftLines(others)];
  const flags = done.find(({ pass }) => pass === 'pin_flags')?.changed ?? [];
  if (flags.length > SHOWN) lines.push(`  ${flags.length} flags are listed with -v`);
  else lines.push(...flags.map(line));
  return [...lines, ...leftLines(others)];
}

function leftLines(passes: FreezeReport['passes']): string[] {
  const skipped = passes.flatMap((each) => each.skipped);
  return skipped.length === 0 ? [] : [`left ${someNames(skipped.map(({ node, text }) => `${node} (${text})`))}`];
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

function writtenRow({ path, bytes }: Written): Row {
  if (path === undefined) return ['dry run', ['every weight was read and checked; nothing was written']];
  return ['written', [`${path === '-' ? 'to stdout' : path}  (${byteText(bytes)})`]];
}

/** How the result is used. */
function nextLines({ inputs, outputs }: FreezeReport, { path }: Written): string[] {
  if (path === undefined) return ['the same command with -o FILE and without --dry-run'];
  const feeds = inputs.slice(0, SHOWN).map(({ name }, i) => `'${name}': ${inputs.length === 1 ? 'x' : `x${i}`}`);
  const fetches = outputs.slice(0, SHOWN).map(({ name }) => `'${name}'`);
  return [
    `in TensorFlow, after tf.import_graph_def(graph_def, name=''):`,
    `sess.run([${fetches.join(', ')}], {${feeds.join(', ')}})`,
  ];
}
