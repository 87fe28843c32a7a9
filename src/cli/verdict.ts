import { isWarning } from '../freezing/notices.js';
import type { BatchNormReport, FreezeReport } from '../freezing/report.js';
import { countText, listed, plural } from '../freezing/text.js';
import { noticeText } from '../freezing/wording.js';
import { batchNormTable } from './batch_norm_table.js';
import { evidenceLines } from './evidence_lines.js';
import { flagText } from './flags.js';
import { labelled, unbroken } from './layout.js';
import type { ReportStyle } from './report_style.js';

/** What became of the batch norms: a verdict, what to beware of, then a table of them. */
export function batchNormSection(report: FreezeReport, style: ReportStyle): string[] {
  const { batchNorms } = report;
  const [repaired, inference, perExample, kept] = (['repaired', 'inference', 'per_example', 'kept'] as const).map(
    (wanted) => batchNorms.filter(({ status }) => status === wanted),
  ) as [BatchNormReport[], BatchNormReport[], BatchNormReport[], BatchNormReport[]];
  const lines = labelled(`${style.symbols.done} `, verdict(report, repaired, inference, perExample), style.width);
  if (kept.length > 0) {
    const [stay, they] = kept.length === 1 ? ['stays', 'it keeps'] : ['stay', 'they keep'];
    const count = plural(kept.length, 'batch norm');
    const text = `${count} ${stay} in training mode (${flagText('keep')}): ${they} using batch statistics.`;
    lines.push(...labelled(`${style.symbols.warning} `, text, style.width));
  }
  for (const notice of report.notices.filter(isWarning)) {
    lines.push(...labelled(`${style.symbols.warning} `, noticeText(notice, flagText), style.width));
  }
  const table = batchNormTable(batchNorms, style);
  if (table.length > 0) lines.push('', ...table);
  if (style.verbose && repaired.length > 0) lines.push('', ...evidenceLines(repaired, style));
  return lines;
}

function verdict(
  report: FreezeReport,
  repaired: readonly BatchNormReport[],
  inference: readonly BatchNormReport[],
  perExample: readonly BatchNormReport[],
): string {
  const total = report.batchNorms.length - perExample.length;
  const sentences: string[] = [];
  if (repaired.length > 0) {
    const count = total === 1 ? 'the batch norm' : `${countText(repaired.length)} of ${plural(total, 'batch norm')}`;
    const [they, use] = repaired.length === 1 ? ['It', 'uses'] : ['They', 'use'];
    sentences.push(
      `Repaired ${count}. ${they} normalised with batch statistics and now ${use} the stored moving averages.`,
    );
    if (inference.length > 0) {
      const the = inference.length + repaired.length === total ? 'The other ' : '';
      sentences.push(`${the}${countText(inference.length)} already used ${theirs(inference)}${withFlags(report)}.`);
    }
  } else if (inference.length > 0) {
    const which = inference.length === 1 ? 'the batch norm uses' : `${allOf(inference.length)} batch norms use`;
    const some = inference.length === total ? which : `${countText(inference.length)} of ${total} batch norms use`;
    const frozen = isUnchanged(report) ? 'the graph is already frozen, and ' : '';
    sentences.push(`Nothing to repair: ${frozen}${some} ${theirs(inference)}${withFlags(report)}.`);
  } else if (total === 0) {
    const frozen = isUnchanged(report) ? 'the graph is already frozen, and ' : '';
    sentences.push(`Nothing to repair: ${frozen}no batch norm feeds the outputs.`);
  } else {
    sentences.push('Nothing was repaired.');
  }
  for (const reason of ['layer_normalization', 'batch_of_one'] as const) {
    const group = perExample.filter((batchNorm) => batchNorm.reason === reason);
    if (group.length > 0) sentences.push(perExampleText(reason, group.length));
  }
  return sentences.join(' ');
}

function allOf(count: number): string {
  return count === 2 ? 'both' : `all ${countText(count)}`;
}

function perExampleText(reason: 'layer_normalization' | 'batch_of_one', count: number): string {
  const [stay, their] = count === 1 ? ['stays', 'its'] : ['stay', 'their'];
  return reason === 'layer_normalization'
    ? `${plural(count, 'layer normalisation')} ${stay} as before.`
    : `${plural(count, 'instance normalisation')} ${stay} as before: ${their} batch dimension is statically 1.`;
}

function theirs(group: readonly BatchNormReport[]): string {
  return group.length === 1 ? 'its moving averages' : 'their moving averages';
}

/** The flags that select moving averages. */
function withFlags({ flags }: FreezeReport): string {
  const pinned = flags.map(({ name, value }) => unbroken(`${name} = ${value}`));
  return pinned.length === 0 ? '' : ` with ${listed(pinned, 2)}`;
}

/** Changes of every result. */
const ALWAYS: ReadonlySet<FreezeReport['outcomes'][number]['kind']> = new Set([
  'stripped',
  'pruned_function',
  'simplified',
  'renamed',
]);

/** Whether the graph was an inference graph already. */
export function isUnchanged({ batchNorms, outcomes }: FreezeReport): boolean {
  return outcomes.every(({ kind }) => ALWAYS.has(kind)) && batchNorms.every(({ status }) => status === 'inference');
}
