import type { CalibratedLayer, CalibrateReport, CalibrationNotice } from '../../calibration/report.js';
import { isWarning } from '../../freezing/notices.js';
import { shortNames } from '../../freezing/short_names.js';
import { countText, listed, plural } from '../../freezing/text.js';
import { keptText } from '../../freezing/verdict_text.js';
import { noticeText } from '../../freezing/wording.js';
import { flagText } from '../flags.js';
import { foldReportText } from '../fold_report.js';
import { labelled, shortened } from '../layout.js';
import { numberText, rangeText } from '../number_text.js';
import { reportText, type Section, type Written } from '../report.js';
import type { ReportStyle } from '../report_style.js';
import { type Column, filledTable } from '../table.js';

/** The report of freeze or fold, with old statistics against new ones in place of the stored ones. */
export function calibrateReportText(report: CalibrateReport, written: Written, style: ReportStyle): string[] {
  const verdict = calibrationSection(report, style);
  const { folded, cost } = report;
  return folded && cost
    ? foldReportText({ ...report, folded, cost }, written, style, { verdict })
    : reportText(report, written, style, { verdict });
}

function calibrationSection(report: CalibrateReport, style: ReportStyle): Section {
  const { calibration } = report;
  const { symbols, width } = style;
  const warnings = [
    ...calibration.notices.map(calibrationNoticeText),
    ...[keptText(report, flagText)].flatMap((text) => text ?? []),
    ...report.notices.filter(isWarning).map((notice) => noticeText(notice, flagText)),
  ];
  return [
    ...labelled(`${symbols.done} `, summaryText(report), width),
    ...warnings.flatMap((text) => labelled(`${symbols.warning} `, text, width)),
    '',
    ...layerTable(calibration.layers, style),
  ];
}

function summaryText({ calibration, batchNorms }: CalibrateReport): string {
  const { layers, mode, examples, batch, passes } = calibration;
  const names = new Set(layers.flatMap((layer) => layer.names));
  const how =
    mode === 'parallel'
      ? 'in one pass, each with batch statistics'
      : `layer by layer, in ${plural(passes, 'pass', 'passes')}`;
  const size = examples > batch ? `, ${countText(batch)} at a time` : '';
  const done = `Calibrated ${plural(names.size, 'batch norm')} with ${plural(examples, 'example')}${size}, ${how}.`;
  const repaired = batchNorms.filter(({ status }) => status === 'repaired').length;
  return repaired === 0 ? done : `${done} ${repaired} of ${batchNorms.length} normalised with batch statistics before.`;
}

/** The text of a notice. */
export function calibrationNoticeText(notice: CalibrationNotice): string {
  const names = listed(notice.batchNorms, 3);
  switch (notice.code) {
    case 'few_examples': {
      const more = notice.needed === undefined ? '' : `; about ${countText(notice.needed)} would be enough`;
      return `Too few examples to be sure of the statistics of ${names}${more}.`;
    }
    case 'constant_channels': {
      const have = notice.channels === 1 ? '1 channel has' : `${countText(notice.channels)} channels have`;
      return `${have} the same value in all examples, and a variance of 0: ${names}.`;
    }
    case 'not_converged':
      return `The statistics of ${names} depend on themselves, and still change by ${numberText(notice.change)}.`;
  }
}

const COLUMNS: readonly Column[] = [
  { title: 'batch norm', alone: (name) => name },
  { title: 'numbers', align: 'right', alone: (count) => `${count} numbers per channel` },
  { title: 'mean shift', align: 'right', alone: (shift) => `mean shift ${shift} deviations` },
  { title: 'variance ratio', align: 'right', alone: (ratio) => `variance ratio ${ratio}` },
  { title: 'errors', align: 'right', alone: (errors) => `errors ${errors}` },
];

/** A table of calibrated batch norms; without -v, of the first of them. */
function layerTable(layers: readonly CalibratedLayer[], style: ReportStyle): string[] {
  const names = shortNames(layers.map(({ names: all }) => all[0]!));
  const { shown, more } = shortened(layers, style.verbose);
  const rows = shown.map((layer, i) => {
    const { count, meanShift, varianceRatio, standardError, names: all } = layer;
    const others = all.length > 1 ? ` and ${all.length - 1} more` : '';
    return [
      `${names[i]}${others}`,
      countText(count),
      meanShift ? numberText(meanShift.typical) : '',
      varianceRatio ? rangeText(varianceRatio) : '',
      standardError ? `${percentText(standardError.mean.typical)}, ${percentText(standardError.variance.typical)}` : '',
    ];
  });
  const lines = filledTable(COLUMNS, rows, { width: style.width, dim: style.colors.dim });
  return more > 0 ? [...lines, `  and ${more} more (-v)`] : lines;
}

function percentText(part: number): string {
  return `${numberText(100 * part)} %`;
}
