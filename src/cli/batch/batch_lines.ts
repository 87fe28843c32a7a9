import { isWarning } from '../../freezing/notices.js';
import type { FreezeReport } from '../../freezing/report.js';
import { countText, plural } from '../../freezing/text.js';
import { noticeText } from '../../freezing/wording.js';
import { printable, printableData } from '../../printable.js';
import { flagText } from '../flags.js';
import type { BatchModel, BatchSummary } from './batch_report.js';

/** Lines about a model: one, then its warnings or its error. @param messages - what the command printed on stderr */
export function modelLines({ model, output, status, report }: BatchModel, messages: string): string[] {
  const head = `${printable(model)} -> ${printable(output)}: `;
  switch (status) {
    case 'written':
    case 'checked':
      return [head + doneText(report!), ...warnings(report!)];
    case 'unchanged':
      return [`${head}unchanged`];
    case 'interrupted':
      return [`${head}interrupted`];
    case 'failed':
      return [
        `${head}FAILED`,
        ...messages
          .trimEnd()
          .split('\n')
          .map((line) => `  ${line}`),
      ];
  }
}

/** `repaired 4 of 4 batch norms`. */
function doneText({ batchNorms }: FreezeReport): string {
  const total = batchNorms.filter(({ status }) => status !== 'per_example').length;
  const repaired = batchNorms.filter(({ status }) => status === 'repaired').length;
  if (repaired > 0) return `repaired ${countText(repaired)} of ${plural(total, 'batch norm')}`;
  return total === 0 ? 'nothing to repair, no batch norm feeds the outputs' : 'nothing to repair';
}

function warnings({ notices }: FreezeReport): string[] {
  return notices.filter(isWarning).map((notice) => `  warning: ${noticeText(printableData(notice), flagText)}`);
}

/** `3 models: 2 written, 1 unchanged`. */
export function summaryText({ models, exitCode: _, ...counts }: BatchSummary): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return `${plural(models, 'model')}: ${parts.map(([status, count]) => `${countText(count)} ${status}`).join(', ')}`;
}
