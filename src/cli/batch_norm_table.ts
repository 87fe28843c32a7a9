import type { BatchNormReport } from '../freezing/report.js';
import { shortNames } from '../freezing/short_names.js';
import { shortened } from './layout.js';
import { rangeText } from './number_text.js';
import type { ReportStyle } from './report_style.js';
import { type Column, filledTable } from './table.js';

const COLUMNS: readonly Column[] = [
  { title: 'batch norm', alone: (name) => name },
  { title: 'channels', align: 'right', alone: (count) => (count === '1' ? '1 channel' : `${count} channels`) },
  { title: 'moving mean', alone: (range) => `mean ${range}` },
  { title: 'moving variance', alone: (range) => `variance ${range}` },
  { title: 'found by', alone: (how) => how },
];

/** A table of batch norms with their statistics; without -v, of the first of them. */
export function batchNormTable(batchNorms: readonly BatchNormReport[], style: ReportStyle): string[] {
  if (batchNorms.length === 0) return [];
  const names = shortNames(batchNorms.map(({ name }) => name));
  const { shown, more } = shortened(batchNorms, style.verbose);
  const rows = shown.map((batchNorm, i) => {
    const { range } = batchNorm;
    const channels = range ? String(range.channels) : '';
    return [names[i]!, channels, textOf(range?.mean), textOf(range?.variance), foundBy(batchNorm)];
  });
  const lines = filledTable(COLUMNS, rows, { width: style.width, dim: style.colors.dim });
  return more > 0 ? [...lines, `  and ${more} more (-v)`] : lines;
}

function foundBy({ status, evidence, reason }: BatchNormReport): string {
  switch (status) {
    case 'repaired':
      return evidence?.kind === 'reference' ? 'reference graph' : (evidence?.kind ?? 'update ops of its parts');
    case 'inference':
      return 'already in use';
    case 'kept':
      return 'kept';
    case 'per_example':
      return reason === 'layer_normalization' ? 'layer normalisation' : 'batch of 1';
  }
}

function textOf(range: readonly [smallest: number, largest: number] | undefined): string {
  return range ? rangeText(range) : '';
}
