import type { BatchNormInspection, ValueSummary } from '../../diagnosis/inspection.js';
import { foundByText, IN_USE, noteText } from '../../diagnosis/inspection_text.js';
import { shortNames } from '../../freezing/short_names.js';
import { labelled, shortened } from '../layout.js';
import { rangeText } from '../number_text.js';
import type { ReportStyle } from '../report_style.js';
import { type Column, tableLines, tableWidth } from '../table.js';

/** A column of the table of batch norms. */
interface Field extends Column {
  readonly of: (batchNorm: BatchNormInspection) => string;
  /** Where all batch norms have the same, one line says so. */
  readonly isShared?: boolean;
  /** Whether it is left out before the table becomes too wide. */
  readonly isOptional?: boolean;
}

const FIELDS: readonly Field[] = [
  { title: 'op', alone: (op) => op, of: ({ pattern }) => pattern, isShared: true, isOptional: true },
  { title: 'mode', alone: (mode) => mode, of: ({ mode }) => MODES[mode], isShared: true },
  { title: 'channels', align: 'right', alone: (count) => `${count} channels`, of: ({ channels }) => textOf(channels) },
  {
    title: 'epsilon',
    align: 'right',
    alone: (value) => `epsilon ${value}`,
    of: ({ epsilon }) => textOf(epsilon),
    isShared: true,
    isOptional: true,
  },
  {
    title: 'decay',
    align: 'right',
    alone: (value) => `decay ${value}`,
    of: ({ decay }) => textOf(decay),
    isShared: true,
    isOptional: true,
  },
  { title: 'moving mean', alone: (range) => `mean ${range}`, of: ({ mean }) => summaryText(mean) },
  { title: 'moving variance', alone: (range) => `variance ${range}`, of: ({ variance }) => summaryText(variance) },
  { title: 'scale', alone: (range) => `scale ${range}`, of: ({ scale }) => summaryText(scale), isOptional: true },
  {
    title: 'found by',
    alone: (how) => (how === IN_USE ? `statistics ${how}` : `found by ${how}`),
    of: foundByText,
    isShared: true,
    isOptional: true,
  },
  { title: 'note', alone: (note) => note, of: noteText },
];

const MODES: Readonly<Record<BatchNormInspection['mode'], string>> = {
  training: 'training',
  inference: 'inference',
  switched: 'by flag',
  per_example: 'per example',
};

/** A table of batch norms: what they have in common, then a row each; without -v, of the first of them. */
export function inspectedTable(batchNorms: readonly BatchNormInspection[], style: ReportStyle): string[] {
  if (batchNorms.length === 0) return [];
  const { width, colors } = style;
  const shared = batchNorms.length < 2 ? [] : FIELDS.filter((field) => field.isShared && commonText(field, batchNorms));
  const { shown, more } = shortened(batchNorms, style.verbose);
  const shorts = shortNames(batchNorms.map(({ name }) => name));
  const names = new Map(batchNorms.map((each, i) => [each, shorts[i]!]));
  const name: Field = { title: 'batch norm', alone: (text) => text, of: (each) => names.get(each)! };
  let fields = [
    name,
    ...FIELDS.filter((field) => !shared.includes(field) && shown.some((each) => field.of(each) !== '')),
  ];
  const rowsOf = (columns: readonly Field[]) => shown.map((each) => columns.map((column) => column.of(each)));
  // With -v, nothing is left out: where a row is too wide, it becomes text.
  while (!style.verbose && tableWidth(fields, rowsOf(fields)) > width) {
    const left = fields.findLastIndex(({ isOptional }) => isOptional);
    if (left < 0) break;
    fields = fields.toSpliced(left, 1);
  }
  const lines = tableLines(fields, rowsOf(fields), { width, dim: colors.dim });
  const common = shared.map((field) => field.alone(commonText(field, batchNorms)!)).join(', ');
  return [
    ...(common === '' ? [] : labelled('  ', `all: ${common}`, width)),
    ...lines,
    ...(more > 0 ? [`  and ${more} more (-v)`] : []),
  ];
}

/** What a field is for all batch norms; undefined if it differs, or is empty. */
function commonText(field: Field, [first, ...others]: readonly BatchNormInspection[]): string | undefined {
  const text = field.of(first!);
  return text !== '' && others.every((each) => field.of(each) === text) ? text : undefined;
}

function textOf(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}

/** `-0.1 .. 2.3`; what is not finite is a note. */
function summaryText(summary: ValueSummary | undefined): string {
  if (summary?.min === undefined || summary.max === undefined) return '';
  return rangeText([summary.min, summary.max], 1);
}
