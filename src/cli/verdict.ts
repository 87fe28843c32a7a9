import { isWarning } from '../freezing/notices.js';
import type { FreezeReport } from '../freezing/report.js';
import { keptText, verdictText } from '../freezing/verdict_text.js';
import { noticeText } from '../freezing/wording.js';
import { batchNormTable } from './batch_norm_table.js';
import { evidenceLines } from './evidence_lines.js';
import { flagText } from './flags.js';
import { labelled, unbroken } from './layout.js';
import type { ReportStyle } from './report_style.js';

/** What became of the batch norms: a verdict, what to beware of, then a table of them. */
export function batchNormSection(report: FreezeReport, style: ReportStyle): string[] {
  const { batchNorms } = report;
  const repaired = batchNorms.filter(({ status }) => status === 'repaired');
  const lines = labelled(`${style.symbols.done} `, verdictText(report, unbroken), style.width);
  const warnings = [
    keptText(report, flagText),
    ...report.notices.filter(isWarning).map((each) => noticeText(each, flagText)),
  ];
  for (const text of warnings) {
    if (text !== undefined) lines.push(...labelled(`${style.symbols.warning} `, text, style.width));
  }
  const table = batchNormTable(batchNorms, style);
  if (table.length > 0) lines.push('', ...table);
  if (style.verbose && repaired.length > 0) lines.push('', ...evidenceLines(repaired, style));
  return lines;
}
