import type { FreezeReport } from '../freezing/report.js';
import { byteText, countText } from '../freezing/text.js';
import { padded } from './layout.js';
import { type Written, writtenBytes } from './report.js';
import type { ReportStyle } from './report_style.js';
import { textWidth } from './text_width.js';

/** Numbers of the model and of the result, like with like: sizes count the weights of both. */
export function sizeTable({ before, after }: FreezeReport, written: Written, style: ReportStyle): string[] {
  return beforeAfter(
    [
      { label: 'nodes', before: before.nodes, after: after.nodes, inPercent: true },
      { label: 'op types', before: before.ops, after: after.ops },
      {
        label: 'size',
        before: before.bytes,
        after: writtenBytes(written),
        inPercent: true,
        text: byteText,
        note: 'graph and weights',
      },
    ],
    style,
  );
}

/** A quantity before and after. */
export interface Comparison {
  readonly label: string;
  readonly before: number;
  readonly after: number;
  /** Whether the change is shown. */
  readonly inPercent?: boolean;
  /** How the quantity is written; a count by default. */
  readonly text?: (value: number) => string;
  readonly note?: string;
}

/** A table of quantities before and after. */
export function beforeAfter(rows: readonly Comparison[], { colors, width }: ReportStyle): string[] {
  const cells = [
    ['', 'before', 'after', ''],
    ...rows.map(({ label, before, after, inPercent, text = countText }) => [
      label,
      text(before),
      text(after),
      inPercent ? changeText(before, after) : '',
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => textWidth(row[column]!))));
  return cells.map(([label = '', ...values], i) => {
    const columns = values.map((value, column) => padded(value, widths[column + 1]!, 'right'));
    const note = rows[i - 1]?.note;
    const line = [`  ${padded(label, widths[0]!)}`, ...columns].join('  ').trimEnd();
    if (i === 0) return colors.dim(line);
    return note === undefined || textWidth(`${line}  ${note}`) > width ? line : `${line}  ${colors.dim(note)}`;
  });
}

/** `-89%`; nothing for a change that rounds to 0. */
function changeText(before: number, after: number): string {
  const percent = before > 0 ? Math.round((100 * (after - before)) / before) : 0;
  return percent === 0 ? '' : `${percent > 0 ? '+' : ''}${percent}%`;
}
