import type { BatchNormReport } from '../freezing/report.js';
import { evidenceText } from '../freezing/wording.js';
import { wrapped } from './layout.js';
import type { ReportStyle } from './report_style.js';

/** How the statistics of each batch norm were found. */
export function evidenceLines(repaired: readonly BatchNormReport[], { width, colors }: ReportStyle): string[] {
  const lines = repaired.flatMap(({ name, evidence, mean, variance }) => {
    const isWhole = evidence !== undefined && mean !== undefined && variance !== undefined;
    const text = isWhole ? evidenceText(evidence, mean, variance) : 'variables that average parts of it replace them';
    return [`  ${name}`, ...wrapped(text, width - 4).map((line) => `    ${line}`)];
  });
  return [colors.dim('  evidence'), ...lines];
}
