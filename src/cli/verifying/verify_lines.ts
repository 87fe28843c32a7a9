import { shapeText } from '../../freezing/text.js';
import type { Comparison } from '../../proof/compare.js';
import type { LayerReport, Proof, VerifyReport } from '../../proof/report.js';
import { errorText, PROOF_TITLES, proofText, verdictText } from '../../proof/wording.js';
import type { InputPaths } from '../data/input_files.js';
import { inputsText } from '../data/inputs_text.js';
import { flagText } from '../flags.js';
import { hanging, labelled, shortened, unbroken, wrapped } from '../layout.js';
import type { ReportStyle } from '../report_style.js';
import { type Column, tableLines } from '../table.js';

/** The lines of a verification: a verdict, the proofs; the outputs with -v or if they are wrong, and batch norms likewise. */
export function verifyLines(report: VerifyReport, paths: InputPaths, perLayer: boolean, style: ReportStyle): string[] {
  const { width, colors, symbols } = style;
  const failing = colors.red('x');
  const lines = labelled(`${report.passed ? symbols.done : failing} `, `${verdictText(report)}.`, width);
  lines.push('');
  const mark = ({ status }: Proof) =>
    status === 'passed' ? symbols.done : status === 'failed' ? failing : symbols.warning;
  for (const proof of report.proofs) {
    lines.push(
      ...hanging(`  ${mark(proof)} `, wrapped(`${PROOF_TITLES[proof.name]}: ${proofText(proof)}`, width - 4), 4),
    );
  }
  lines.push('', ...inputLines(report, paths, style));
  if (style.verbose || !report.passed) lines.push('', ...outputTable(report, style));
  const layers = perLayer ? report.layers : report.layers.filter(({ error }) => error && !error.isWithin);
  if (layers.length > 0) lines.push('', ...layerTable(layers, perLayer || style.verbose, style));
  return lines;
}

/** What to try where nothing but outputs differs, and several do: they may have each other's names in the repaired file. */
export function exchangedHint({ proofs, outputs }: VerifyReport, { width, colors }: ReportStyle): string[] {
  const failed = proofs.filter(({ status }) => status === 'failed');
  const first = failed.map(({ firstDifference }) => firstDifference?.tensor ?? '');
  const differing = failed.flatMap((proof) => proof.outputs.filter(({ isWithin }) => !isWithin));
  const names = [...new Set(differing.map(({ tensor }) => tensor.replace(/:0$/, '')))];
  if (names.length < 2 || !first.every((tensor) => outputs.includes(tensor))) return [];
  const [a, b] = names;
  const value = names.length === 2 ? `${a}=${b},${b}=${a}` : 'NAME=NEW,...';
  const text = `if outputs exchanged their names: ${unbroken(flagText('outputNames', value))}`;
  return ['', ...labelled(`${colors.bold('Next')}  `, text, width)];
}

function inputLines(
  { inputs, outputs, without, tolerance }: VerifyReport,
  paths: InputPaths,
  { width }: ReportStyle,
): string[] {
  const lines = labelled('  Inputs: ', inputsText(inputs, paths), width);
  if (without.length > 0) {
    const ops = without.map(({ node, op }) => `${node} (${op})`).join(', ');
    lines.push(...labelled('  Left out: ', `${ops}, which cannot be run; compared up to ${outputs.join(', ')}`, width));
  }
  lines.push(`  Tolerance: ${tolerance.atol} + ${tolerance.rtol} of the largest value`);
  return lines;
}

const plain = (cell: string) => cell;

const OUTPUT_COLUMNS: readonly Column[] = [
  { title: 'Output', alone: plain },
  { title: 'Shape', alone: plain },
  { title: 'Proof', alone: plain },
  { title: 'Max error', align: 'right', alone: (cell) => `max error ${cell}` },
  { title: 'Mean error', align: 'right', alone: (cell) => `mean ${cell}` },
  { title: 'Same top 1', align: 'right', alone: (cell) => `same top 1 ${cell}` },
];

function outputTable({ proofs }: VerifyReport, style: ReportStyle): string[] {
  const rows = proofs.flatMap(({ name, outputs }) =>
    outputs.map((output) => [
      output.tensor,
      shapeText(output.shape),
      PROOF_TITLES[name],
      errorText(output.maxError),
      errorText(output.meanError),
      topText(output),
    ]),
  );
  const { shown, more } = shortened(rows, style.verbose);
  const lines = tableLines(OUTPUT_COLUMNS, shown, { width: style.width, dim: style.colors.dim });
  return more > 0 ? [...lines, `  and ${more} more (-v)`] : lines;
}

function topText({ sameTop }: Comparison): string {
  return sameTop ? `${sameTop.rows} of ${sameTop.of}` : '';
}

const LAYER_COLUMNS: readonly Column[] = [
  { title: 'Batch norm', alone: plain },
  { title: 'x', align: 'right', alone: (cell) => `x ${cell}` },
  { title: 'Before', align: 'right', alone: (cell) => `before ${cell}` },
  { title: 'After', align: 'right', alone: (cell) => `after ${cell}` },
  { title: 'Formula', align: 'right', alone: (cell) => `formula ${cell}` },
  { title: 'Max error', align: 'right', alone: (cell) => `max error ${cell}` },
];

/** The first element of each batch norm, and the largest error of all its elements. */
function layerTable(layers: readonly LayerReport[], all: boolean, style: ReportStyle): string[] {
  const rows = layers.map(({ name, x, before, after, expected, error }) => [
    name,
    ...[x, before, after, expected].map(numberText),
    error ? errorText(error.maxError) : '',
  ]);
  const { shown, more } = shortened(rows, all);
  const lines = tableLines(LAYER_COLUMNS, shown, { width: style.width, dim: style.colors.dim });
  return more > 0 ? [...lines, `  and ${more} more (-v)`] : lines;
}

/** A float32 with as many digits as it has. */
function numberText(number: number | undefined): string {
  return number === undefined ? '' : Number(number.toPrecision(9)).toString();
}
