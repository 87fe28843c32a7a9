import type { BatchNormInspection, ValueSummary } from '../diagnosis/inspection.js';
import { inspectionVerdictText } from '../diagnosis/inspection_text.js';
import type { FoldReport } from '../freezing/fold_report.js';
import { foldReasonText } from '../freezing/fold_wording.js';
import { isWarning } from '../freezing/notices.js';
import { healthText, unpairedText } from '../freezing/statistics_text.js';
import { countText, plural } from '../freezing/text.js';
import { keptText, verdictText } from '../freezing/verdict_text.js';
import { evidenceText, noticeText } from '../freezing/wording.js';
import type { Layer } from './layers.js';
import type { PageData, ResultData } from './page_data.js';
import { verificationVerdict } from './proof_prose.js';
import type { Part } from './script_data.js';

// The sentences of the page, apart from those that reports share.

/** How good news is: sets the colour and the symbol of a text. */
export type Tone = 'good' | 'folded' | 'bad' | 'warn' | 'plain';

/** A short text with its tone. */
export interface Label {
  readonly text: string;
  readonly tone: Tone;
}

/** The top of the page. */
export interface VerdictText extends Label {
  /** Sentences that follow the headline. */
  readonly details: readonly string[];
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

/** What the page says first. @param flagOf - writes an option as the user does */
export function verdictOf(data: PageData, flagOf: (option: string) => string): VerdictText {
  const { refusal, result, verification } = data;
  if (refusal) {
    const text = `${COMMANDS[data.command.name]} was refused: ${refusal.headline}`;
    return { text, tone: 'bad', details: refusal.why, warnings: [], notes: [] };
  }
  if (verification && !(result && verification.report.passed)) return verificationVerdict(verification.report);
  return result ? resultVerdict(result, flagOf) : inspectionVerdict(data);
}

const COMMANDS: Readonly<Record<PageData['command']['name'], string>> = {
  inspect: 'Inspection',
  freeze: 'Freezing',
  fold: 'Folding',
  calibrate: 'Calibration',
  verify: 'Verification',
};

function resultVerdict({ report }: ResultData, flagOf: (option: string) => string): VerdictText {
  const notices = report.notices.map((notice) => ({ isWarning: isWarning(notice), text: noticeText(notice, flagOf) }));
  const kept = keptText(report, flagOf);
  const warnings = [...(kept ? [kept] : []), ...notices.filter((each) => each.isWarning).map(({ text }) => text)];
  const folded = 'folded' in report ? foldedCounts(report) : undefined;
  const hasFolded = folded !== undefined && folded.done > 0;
  return {
    text: headline(report, folded),
    tone: warnings.length > 0 ? 'warn' : hasFolded ? 'folded' : 'good',
    details: [verdictText(report), ...(folded ? foldedTexts(folded) : [])],
    warnings,
    notes: notices.filter((each) => !each.isWarning).map((each) => each.text),
  };
}

function headline({ batchNorms }: ResultData['report'], folded: Folded | undefined): string {
  const repaired = batchNorms.filter(({ status }) => status === 'repaired').length;
  const total = batchNorms.filter(({ status }) => status !== 'per_example').length;
  const hasFolded = folded !== undefined && folded.done > 0;
  if (repaired > 0) {
    return `Repaired ${countOf(repaired, total)}${hasFolded ? `, folded ${countText(folded.done)} of ${countText(folded.all)}` : ''}`;
  }
  return hasFolded ? `Folded ${countOf(folded.done, folded.all)}` : 'Nothing to repair';
}

/** What became of the batch norms of a folded graph. */
interface Folded {
  readonly all: number;
  /** Those that are in the weights of other ops, and those that became Mul and Add. */
  readonly done: number;
  readonly arithmetic: number;
}

function foldedCounts({ folded }: FoldReport): Folded {
  const sites = folded.filter(({ pattern }) => pattern !== 'arithmetic');
  const count = (...actions: readonly string[]) => sites.filter(({ action }) => actions.includes(action)).length;
  return { all: sites.length, done: count('previous', 'next'), arithmetic: count('arithmetic') };
}

function foldedTexts({ all, done, arithmetic }: Folded): string[] {
  if (all === 0) return ['No batch norm to fold.'];
  const parts = [`${countText(done)} of ${plural(all, 'batch norm')} folded into the weights of neighbouring ops`];
  if (arithmetic > 0) parts.push(`${countText(arithmetic)} became Mul and Add`);
  if (all > done + arithmetic) parts.push(`${countText(all - done - arithmetic)} not folded`);
  return [`${parts.join(', ')}.`];
}

function countOf(count: number, total: number): string {
  if (total === 1) return 'the batch norm';
  return `${count === total ? 'all ' : ''}${countText(count)}${count === total ? '' : ` of ${countText(total)}`} batch norms`;
}

const INSPECTED: Readonly<Record<PageData['inspection']['verdict']['kind'], readonly [Tone, detail: string]>> = {
  affected: ['bad', 'bnfix freeze repairs this, or says what it takes.'],
  needs_flags: ['warn', 'bnfix freeze pins the flags.'],
  ok: ['good', 'Nothing to repair.'],
  no_batch_norms: ['plain', 'Nothing to repair.'],
};

const DEPENDS_ON_BATCH = 'The output for one example depends on the others of its batch.';

function inspectionVerdict({ inspection }: PageData): VerdictText {
  const { verdict, batchNorms } = inspection;
  const [tone, detail] = INSPECTED[verdict.kind];
  const text = inspectionVerdictText(inspection);
  const warnings = batchNorms.flatMap(({ name, health, feeds }) =>
    health && feeds.length > 0 ? [`${name} has invalid statistics: ${healthText(health)}`] : [],
  );
  return {
    text: `${text[0]!.toUpperCase()}${text.slice(1)}`,
    tone: warnings.length > 0 && tone === 'good' ? 'warn' : tone,
    details: [...(verdict.affected > 0 ? [DEPENDS_ON_BATCH] : []), detail],
    warnings: [...warnings.slice(0, MOST_WARNINGS), ...moreText(warnings.length - MOST_WARNINGS)],
    notes: [],
  };
}

/** The table has the others. */
const MOST_WARNINGS = 3;

function moreText(count: number): string[] {
  return count > 0 ? [`${plural(count, 'more batch norm')} with invalid statistics`] : [];
}

const MODES: Readonly<Record<BatchNormInspection['mode'], Label>> = {
  training: { text: 'training', tone: 'bad' },
  inference: { text: 'inference', tone: 'good' },
  switched: { text: 'by flag', tone: 'warn' },
  per_example: { text: 'per example', tone: 'plain' },
};

/** What a batch norm uses, as saved. */
export function modeLabel({ before }: Layer): Label {
  return before.feeds.length === 0 && before.mode !== 'training'
    ? { ...MODES[before.mode], tone: 'plain' }
    : MODES[before.mode];
}

/** What is wrong with its statistics, in a word; undefined if nothing is. */
export function problemLabel({ before: { health, unpaired } }: Layer): Label | undefined {
  if (health) return { text: health.kind.replaceAll('_', ' '), tone: 'warn' };
  return unpaired && { text: 'no statistics', tone: 'warn' };
}

/** What became of a batch norm. */
export function resultLabel({ before, after, folded }: Layer): Label {
  if (folded && folded.action !== 'kept') {
    return { text: folded.action === 'arithmetic' ? 'Mul and Add' : 'folded', tone: 'folded' };
  }
  switch (after?.status) {
    case 'repaired':
      return { text: 'repaired', tone: 'good' };
    case 'inference':
      return { text: 'already in use', tone: 'plain' };
    case 'kept':
      return { text: 'kept in training', tone: 'warn' };
    case 'per_example':
      return { text: 'unchanged', tone: 'plain' };
    case undefined:
      return { text: before.feeds.length === 0 ? 'feeds no output' : 'not examined', tone: 'plain' };
  }
}

/** How its statistics were found, in a word; empty if they were not. */
export function foundText({ before: { statistics, mode } }: Layer): string {
  return statistics?.evidence?.kind ?? (statistics && mode === 'inference' ? 'in use' : '');
}

/** Its statistics, and what became of it, in sentences. */
export function layerNotes({ before, folded }: Layer): string[] {
  const { statistics, health, unpaired } = before;
  const { evidence, mean, variance } = statistics ?? {};
  const notes: string[] = [];
  if (health) notes.push(`Invalid statistics: ${healthText(health)}.`);
  if (unpaired) notes.push(`Statistics are not certain: ${unpairedText(unpaired)}.`);
  if (evidence && mean !== undefined && variance !== undefined) {
    notes.push(`Evidence: ${evidenceText(evidence, mean, variance)}.`);
  }
  if (folded?.reasons.length) notes.push(`Not folded: ${folded.reasons.map(foldReasonText).join('; ')}.`);
  else if (folded && folded.into.length > 0) {
    notes.push(`${folded.action === 'arithmetic' ? 'Became' : 'Folded into'} ${folded.into.join(', ')}.`);
  }
  return notes;
}

/** Titles of the three values of a batch norm. */
export const PART_TITLES: Readonly<Record<Part, string>> = {
  mean: 'moving mean',
  variance: 'moving variance',
  scale: 'effective scale',
};

/** `0.12 .. 3.4`; empty for unknown values. */
export function rangeText(values: ValueSummary | undefined): string {
  if (values?.min === undefined || values.max === undefined) return values?.notFinite ? 'not finite' : '';
  const [min, max] = [numberText(values.min), numberText(values.max)];
  const range = min === max ? min : `${min} .. ${max}`;
  return values.notFinite > 0 ? `${range}, ${values.notFinite} not finite` : range;
}

/** A few significant digits, with a minus sign. */
export function numberText(value: number, digits = 3): string {
  return String(Number(value.toPrecision(digits)) || 0).replace('-', '\u2212');
}
