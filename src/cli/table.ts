import { padded, unbroken, wrapped } from './layout.js';
import { textWidth } from './text_width.js';

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** How a cell reads on its own, where the table is too wide for the terminal. */
  readonly alone: (cell: string) => string;
}

/** How a table is shown. */
export interface TableStyle {
  readonly width: number;
  /** Makes the title row less prominent. */
  readonly dim: (text: string) => string;
}

const GAP = '  ';
const INDENT = '  ';

/** How many columns of the terminal a table takes. */
export function tableWidth(columns: readonly Column[], rows: readonly (readonly string[])[]): number {
  return INDENT.length + widthsOf(columns, rows).reduce((sum, width) => sum + width, GAP.length * (columns.length - 1));
}

function widthsOf(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  return columns.map(({ title }, i) => Math.max(textWidth(title), ...rows.map((row) => textWidth(row[i]!))));
}

/** A table without the columns that are empty, other than the first. */
export function filledTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: TableStyle,
): string[] {
  const filled = columns.map((_, column) => column === 0 || rows.some((row) => row[column] !== ''));
  return tableLines(
    columns.filter((_, column) => filled[column]),
    rows.map((row) => row.filter((_, column) => filled[column])),
    style,
  );
}

/** The lines of a table, with a title row. Where a row does not fit, its cells follow its first cell as text. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: TableStyle,
): string[] {
  const titles = columns.map(({ title }) => title);
  const widths = widthsOf(columns, rows);
  if (tableWidth(columns, rows) > style.width) return rows.flatMap((row) => recordLines(columns, row, style));
  const line = (cells: readonly string[]) =>
    INDENT +
    cells
      .map((cell, i) => padded(cell, widths[i]!, columns[i]!.align))
      .join(GAP)
      .trimEnd();
  return [style.dim(line(titles)), ...rows.map(line)];
}

function recordLines(columns: readonly Column[], row: readonly string[], { width }: TableStyle): string[] {
  const details = columns.flatMap(({ alone }, i) => (i === 0 || row[i] === '' ? [] : unbroken(alone(row[i]!))));
  const lines = wrapped(details.join(', '), width - 2 * INDENT.length);
  return [INDENT + row[0], ...lines.map((line) => INDENT + INDENT + line)];
}
