import { basename, dirname } from 'node:path';
import type { FormatName } from '../formats/destination.js';
import { isWarning } from '../freezing/notices.js';
import type { FreezeReport, TensorInfo } from '../freezing/report.js';
import { byteText, listed, plural, shapeText } from '../freezing/text.js';
import {
  noticeText,
  outcomesText,
  outcomeText,
  outputReasonText,
  flagText as pinnedText,
} from '../freezing/wording.js';
import type { FileHash } from '../load.js';
import type { Outcome } from '../passes/outcome.js';
import type { VerifyReport } from '../proof/report.js';
import { PROOF_TITLES, proofText, verdictText } from '../proof/wording.js';
import type { WrittenFile } from '../writers/encoded.js';
import { flagText } from './flags.js';
import { hanging, labelled, padded, shortened, unbroken, wrapped } from './layout.js';
import type { ReportStyle } from './report_style.js';
import { sizeTable } from './size_table.js';
import { textWidth } from './text_width.js';
import { batchNormSection } from './verdict.js';
import { version } from './version.js';

/** How the result was written. */
export interface Written {
  /** The file that programs are given, or the folder; `-` is stdout; undefined when nothing was written. */
  readonly path: string | undefined;
  readonly format: FormatName;
  /** All files; their hashes are undefined if they were not requested. */
  readonly files: readonly WrittenFile[];
  /** Whether the files were read again and compared. */
  readonly verified: boolean;
  /** What this format cannot represent. */
  readonly notes: readonly string[];
  /** The files that were read; empty if no hashes were requested. */
  readonly read: readonly FileHash[];
  /** What was proved before it was written, if that was requested. */
  readonly verification?: VerifyReport | undefined;
  /** The page that was written as well. */
  readonly page?: { readonly path: string; readonly bytes: number } | undefined;
  /** How long everything took; not in the report for machines, which is the same each time. */
  readonly seconds?: number | undefined;
  /** After a dry run, the command that writes the result. */
  readonly command?: string | undefined;
}

/** The size of a result in bytes. */
export function writtenBytes({ files }: Pick<Written, 'files'>): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * The report for machines: the FreezeReport, the files that were `read`, and `written` (null in a dry run).
 * docs/report.schema.json describes it.
 */
export function jsonReport(report: FreezeReport, written: Written, command = 'freeze'): object {
  const { path, read, format, files, verified, notes, verification } = written;
  const sha256 = files.length === 1 ? files[0]!.sha256 : undefined;
  const result =
    path === undefined ? null : { path, format, bytes: writtenBytes(written), sha256, verified, notes, files };
  return { bnfix: version(), command, ...report, ...(verification && { verification }), read, written: result };
}

/** Lines of a report that belong together. */
export type Section = readonly string[];

/** What commands other than `freeze` add to its report. */
export interface MoreSections {
  /** What became of the batch norms. */
  readonly verdict?: Section;
  /** After the changes. */
  readonly more?: readonly Section[];
}

/** The report for people: what was wrong, what was done and on which evidence. Its texts have to be printable. */
export function reportText(
  report: FreezeReport,
  written: Written,
  style: ReportStyle,
  { verdict = batchNormSection(report, style), more = [] }: MoreSections = {},
): string[] {
  const isUnused = report.notices.some(({ code }) => code === 'checkpoint_unused');
  const sections: Section[] = [
    headerLines(isUnused ? { ...report, checkpoint: undefined } : report, style),
    verdict,
    changeSection(report, style),
    ...more,
    tensorSection(report, style),
    sizeTable(report, written, style),
    noteLines(report, written, style),
    style.verbose ? hashLines(written) : [],
    [...verificationLines(written, style), ...writtenLines(written, style)],
  ];
  return spaced(sections);
}

/** The lines of sections, with an empty one between them. */
export function spaced(sections: readonly Section[]): string[] {
  const filled = sections.filter((lines) => lines.length > 0);
  return filled.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

/** The files, and the TensorFlow that wrote them. */
export function headerLines(
  { model, checkpoint }: Pick<FreezeReport, 'model' | 'checkpoint'>,
  { width, colors }: ReportStyle,
): string[] {
  const details: string[] = [];
  if (model.tensorflow !== undefined) details.push(`TensorFlow ${model.tensorflow}`);
  if (checkpoint !== undefined) {
    const isBeside = dirname(checkpoint) === dirname(model.name) && basename(checkpoint) !== '';
    details.push(`checkpoint ${isBeside ? basename(checkpoint) : checkpoint}`);
  }
  const line = `${model.name}   ${details.join(', ')}`.trimEnd();
  const name = colors.bold(model.name);
  if (textWidth(line) <= width) return [name + line.slice(model.name.length)];
  return [name, ...labelled('  ', details.map(unbroken).join(', '), width)];
}

/** Changes other than batch norms; flags are listed by name, since their values were inferred. */
function changeSection({ outcomes, flags, kept }: FreezeReport, style: ReportStyle): string[] {
  const { width, symbols, verbose } = style;
  const kinds = new Map<Outcome['kind'], number>();
  for (const { kind } of outcomes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const texts = [...kinds].flatMap(([kind, count]) => outcomesText(kind, count) ?? []);
  const lines: string[] = [];
  if (texts.length > 0) lines.push(...labelled(`${symbols.done} `, `${capitalised(texts.join(', '))}.`, width));
  const { shown, more } = shortened(flags, verbose);
  for (const flag of shown) lines.push(...labelled('  ', pinnedText(flag), width));
  if (more > 0) lines.push(`  and ${more} more flags (-v)`);
  if (verbose) lines.push(...stepLines(outcomes, style));
  const left = kept.filter(({ kind }) => kind !== 'batch_norm').map(({ node }) => node);
  if (left.length > 0) {
    lines.push(...labelled(`${symbols.warning} `, `Left active (${flagText('keep')}): ${listed(left, 3)}`, width));
  }
  return lines;
}

/** Steps that are named with -v: the others are the same for each variable, or about nodes that are gone. */
const STEPS: ReadonlySet<Outcome['kind']> = new Set(['function', 'input', 'statistic', 'dropout', 'stripped']);

function stepLines(outcomes: readonly Outcome[], { width }: ReportStyle): string[] {
  return outcomes.filter(({ kind }) => STEPS.has(kind)).flatMap((step) => labelled('  ', outcomeText(step), width));
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** As sha256sum prints them. */
function hashLines({ read, path, files }: Written): string[] {
  const written = path === undefined ? [] : files.filter(({ sha256 }) => sha256 !== undefined);
  return [...read, ...written].map((file) => `${file.sha256}  ${file.path}`);
}

/** Inputs and outputs of the result, with dtypes and shapes. */
export function tensorSection(
  { inputs, outputs, outputReason }: Pick<FreezeReport, 'inputs' | 'outputs' | 'outputReason'>,
  style: ReportStyle,
): string[] {
  const infos = [...inputs, ...outputs];
  const width = Math.max(0, ...infos.map(({ name }) => textWidth(name)));
  const labels = [inputs.length === 1 ? 'input' : 'inputs', outputs.length === 1 ? 'output' : 'outputs'] as const;
  const indent = Math.max(...labels.map((label) => label.length));
  const label = (text: string) => `  ${style.colors.bold(padded(text, indent))}  `;
  const reason = style.colors.dim(outputReasonText(outputReason, flagText('outputs')));
  return [
    ...hanging(label(labels[0]), tensorLines(inputs, width, indent + 4, style)),
    ...hanging(label(labels[1]), tensorLines(outputs, width, indent + 4, style, reason)),
  ];
}

function tensorLines(
  tensors: readonly TensorInfo[],
  nameWidth: number,
  indent: number,
  { width, verbose }: ReportStyle,
  reason = '',
): string[] {
  if (tensors.length === 0) return ['none'];
  const { shown, more } = shortened(tensors, verbose);
  const room = width - indent;
  const lines = shown.flatMap(({ name, dtype, shape }) => {
    const type = `${dtype} ${shapeText(shape)}`;
    const line = `${padded(name, nameWidth)}  ${type}`;
    return textWidth(line) <= room ? [line] : [name, `  ${type}`];
  });
  if (more > 0) lines.push(`and ${more} more (-v)`);
  if (reason === '') return lines;
  const last = `${lines.at(-1)}  ${reason}`;
  if (lines.length === 1 && textWidth(last) <= room) return [last];
  return [...lines, ...wrapped(reason, room)];
}

/** What else the user should know about the result: warnings are beside the verdict. */
function noteLines({ notices }: FreezeReport, { notes }: Written, { width, colors }: ReportStyle): string[] {
  const others = notices.filter((notice) => !isWarning(notice)).map((notice) => noticeText(notice, flagText));
  return [...others, ...notes].flatMap((text) => labelled(`${colors.bold('Note')}  `, text, width));
}

/** That the result was proved right; what was compared is in the report of `bnfix verify`. */
function verificationLines({ verification }: Written, { width, symbols }: ReportStyle): string[] {
  if (!verification) return [];
  const skipped = verification.proofs.filter(({ status }) => status === 'skipped');
  const lines = labelled(`${symbols.done} `, `${verdictText(verification)}.`, width);
  const reasons = skipped.flatMap((proof) => labelled('  ', `${PROOF_TITLES[proof.name]}: ${proofText(proof)}`, width));
  return [...lines, ...reasons];
}

function writtenLines(written: Written, { width, colors }: ReportStyle): string[] {
  const { path, files, seconds, verified, page } = written;
  const pageText = page && `${unbroken(page.path)} (${unbroken(byteText(page.bytes))})`;
  if (path === undefined) {
    const only = pageText === undefined ? 'nothing was written' : `only ${pageText} was written`;
    return wrapped(`${colors.bold('Dry run')}: read and checked every weight; ${only}`, width);
  }
  const time = seconds === undefined ? '' : ` in ${seconds.toFixed(1)} s`;
  const count = files.length > 1 ? ` in ${plural(files.length, 'file')}` : '';
  const size = byteText(writtenBytes(written)) + count;
  const text = path === '-' ? `${size} to stdout` : `${unbroken(path)} (${unbroken(size)})`;
  const check = verified ? `, read ${files.length > 1 ? 'them' : 'it'} again and compared` : '';
  const also = pageText === undefined ? '' : `, and ${pageText}`;
  return wrapped(`${colors.bold('Wrote')} ${text}${time}${check}${also}`, width);
}
