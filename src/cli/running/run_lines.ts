import { listed, plural, shapeText } from '../../freezing/text.js';
import type { WrittenFile } from '../../writers/encoded.js';
import type { InputPaths } from '../data/input_files.js';
import { inputsText } from '../data/inputs_text.js';
import { writtenText } from '../data/written_text.js';
import { flagText } from '../flags.js';
import { labelled } from '../layout.js';
import { headerLines } from '../report.js';
import type { ReportStyle } from '../report_style.js';
import { type Column, filledTable } from '../table.js';
import type { RunFlag, RunReport, TensorSummary } from './run_report.js';

/** The lines of a run: how the graph was run, then a table of what was computed. */
export function runLines(
  report: RunReport,
  paths: InputPaths,
  written: readonly WrittenFile[],
  style: ReportStyle,
): string[] {
  const { width, symbols, verbose } = style;
  const { flags, dropouts, withoutDropouts, missing, inputs, outputs } = report;
  const lines = [...headerLines(report, style), ...modeLines(report, style)];
  const shown = (names: readonly string[]) => listed(names, verbose ? names.length : 3);
  if (dropouts.length > 0) {
    const text = `${plural(dropouts.length, 'dropout')} active, as in training: ${shown(dropouts)}`;
    lines.push(...labelled(`${symbols.warning} `, text, width));
  }
  if (withoutDropouts.length > 0) {
    const left = `${plural(withoutDropouts.length, 'dropout')} left out, as at inference: ${shown(withoutDropouts)}`;
    const [name] = missing;
    const text = `${left}; ${name} has no value (${flagText('set', `${name}=VALUE`)} gives it one)`;
    lines.push(...labelled(`${symbols.done} `, text, width));
  }
  for (const flag of flags) lines.push(...labelled('  ', flagLine(flag), width));
  lines.push(...labelled('  Inputs: ', inputsText(inputs, paths), width), '', ...outputTable(outputs, style));
  for (const { name, notFinite, shape } of outputs.filter((output) => output.notFinite > 0)) {
    const all = shape.reduce((product, size) => product * size, 1);
    const text = `${name}: ${notFinite} of ${plural(all, 'element')} ${notFinite === 1 ? 'is' : 'are'} NaN or infinite`;
    lines.push(...labelled(`${symbols.warning} `, text, width));
  }
  return written.length === 0 ? lines : [...lines, '', ...writtenText(written, style)];
}

function modeLines({ graph, batchStatistics }: RunReport, { width, symbols, verbose }: ReportStyle): string[] {
  if (graph === 'repaired') return labelled(`${symbols.done} `, 'Repaired in memory, as freeze does it.', width);
  const count = batchStatistics.length;
  if (count === 0)
    return labelled(`${symbols.done} `, 'Run as it was saved: no batch norm uses batch statistics.', width);
  const use = count === 1 ? 'uses' : 'use';
  const lines = labelled(
    `${symbols.warning} `,
    `Run as it was saved, in training mode: ${plural(count, 'batch norm')} ${use} batch statistics, so an example's output depends on its batch (${flagText('repaired')} runs the repaired graph).`,
    width,
  );
  return verbose ? [...lines, ...batchStatistics.map((name) => `    ${name}`)] : lines;
}

function flagLine({ name, value, reason }: RunFlag): string {
  if (reason === 'given') return `${name} = ${value}`;
  const other = typeof value === 'boolean' ? !value : 'VALUE';
  const why = reason === 'default' ? 'its default in the graph' : 'its value at inference';
  return `${name} = ${value}: ${why} (${flagText('set', `${name}=${other}`)} overrides)`;
}

const plain = (cell: string) => cell;
const named = (title: string): Column => ({ title, align: 'right', alone: (cell) => `${title.toLowerCase()} ${cell}` });

const COLUMNS: readonly Column[] = [
  { title: 'Tensor', alone: plain },
  { title: 'Type', alone: plain },
  named('Min'),
  named('Max'),
  named('Mean'),
  { title: 'First values', alone: (cell) => `first values ${cell}` },
];

function outputTable(outputs: readonly TensorSummary[], { width, colors }: ReportStyle): string[] {
  const rows = outputs.map(({ name, dtype, shape, min, max, mean, first }) => [
    name,
    `${dtype} ${shapeText(shape)}`,
    ...[min, max, mean].map(numberText),
    first.map((each) => (typeof each === 'number' ? numberText(each) : each)).join(' '),
  ]);
  return filledTable(COLUMNS, rows, { width, dim: colors.dim });
}

function numberText(number: number | undefined): string {
  return number === undefined ? '' : Number(number.toPrecision(6)).toString();
}
