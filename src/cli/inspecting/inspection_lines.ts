import type {
  BatchNormInspection,
  Inspection,
  OpCount,
  SignatureTensorInspection,
} from '../../diagnosis/inspection.js';
import {
  amountText,
  inspectedFlagText,
  inspectionVerdictText,
  statisticsProblems,
  statisticsText,
} from '../../diagnosis/inspection_text.js';
import { candidateReason } from '../../freezing/candidate_text.js';
import { byteText, countText, listed, plural, shapeText } from '../../freezing/text.js';
import { shellQuoted } from '../../quoted.js';
import { hanging, labelled, shortened, unbroken, wrapped } from '../layout.js';
import { headerLines, spaced, tensorSection } from '../report.js';
import type { ReportStyle } from '../report_style.js';
import { tableLines } from '../table.js';
import { inspectedTable } from './inspected_table.js';

/**
 * An inspection for people: the verdict, the batch norms, what else there is.
 * @param path - the model as the user named it, for commands
 */
export function inspectionLines(inspection: Inspection, path: string, style: ReportStyle): string[] {
  const { batchNorms } = inspection;
  return spaced([
    headerLines(inspection, style),
    verdictLines(inspection, style),
    inspectedTable(batchNorms, style),
    style.verbose ? batchNorms.flatMap((each) => detailLines(each, style)) : [],
    switchLines(inspection, style),
    tensorSection(inspection, style),
    candidateSection(inspection, style),
    signatureSection(inspection, style),
    sizeSection(inspection, style),
    nextLines(inspection, path, style),
  ]);
}

function verdictLines(inspection: Inspection, style: ReportStyle): string[] {
  const { kind } = inspection.verdict;
  const { colors, symbols, width, verbose } = style;
  const problems = statisticsProblems(inspection.batchNorms, verbose);
  const isFine = (kind === 'ok' || kind === 'no_batch_norms') && problems.length === 0;
  const text = inspectionVerdictText(inspection).replace('AFFECTED', colors.red('AFFECTED'));
  return [
    ...labelled(`${isFine ? symbols.done : symbols.warning} `, text, width),
    ...problems.flatMap((problem) => labelled(`${symbols.warning} `, problem, width)),
  ];
}

/** With -v: the statistics of a batch norm, where they are and how they were found. */
function detailLines(batchNorm: BatchNormInspection, { width, colors }: ReportStyle): string[] {
  const { name, input, gamma, beta, feeds, flags, deadChannels } = batchNorm;
  const details = [
    statisticsText(batchNorm),
    [input && `normalises ${input}`, gamma && `gamma ${gamma}`, beta && `beta ${beta}`].filter(Boolean).join(', '),
    feeds.length > 0 ? `feeds ${listed(feeds)}` : 'feeds no output',
    flags.length > 0 ? `chosen by ${flags.join(', ')}` : '',
    deadChannels && deadChannels.length > 0 ? `dead channels: ${listed(deadChannels.map(String), 16)}` : '',
  ];
  const lines = details
    .filter((text) => text !== undefined && text !== '')
    .flatMap((text) => wrapped(text!, width - 4));
  return [colors.dim(`  ${name}`), ...lines.map((line) => `    ${line}`)];
}

/** Flags, dropouts, random ops. */
function switchLines({ flags, dropouts, randomOps }: Inspection, style: ReportStyle): string[] {
  const { width, verbose, symbols } = style;
  const { shown, more } = shortened(flags, verbose);
  const most = verbose ? Number.POSITIVE_INFINITY : 3;
  const [dropped, random] = [dropouts.map(({ name }) => name), randomOps];
  return [
    ...shown.flatMap((flag) => labelled('  flag  ', inspectedFlagText(flag), width)),
    ...(more > 0 ? [`  and ${more} more flags (-v)`] : []),
    ...(dropped.length > 0
      ? labelled(`${symbols.warning} `, `${plural(dropped.length, 'active dropout')}: ${listed(dropped, most)}`, width)
      : []),
    ...(random.length > 0
      ? labelled('  ', `${plural(random.length, 'other random op')}: ${listed(random, most)}`, width)
      : []),
  ];
}

/** The candidates, if outputs have to be named; with -v, always. */
function candidateSection({ candidates, outputs }: Inspection, style: ReportStyle): string[] {
  if (candidates.length === 0 || (outputs.length > 0 && !style.verbose)) return [];
  const { shown, more } = shortened(candidates, style.verbose);
  const rows = shown.map(({ name, op, dtype, shape, ...why }) => [
    name,
    op,
    `${dtype} ${shapeText(shape)}`,
    candidateReason(why),
  ]);
  const columns = ['output candidate', 'op', 'tensor', 'why'].map((title) => ({
    title,
    alone: (text: string) => text,
  }));
  const lines = tableLines(columns, rows, { width: style.width, dim: style.colors.dim });
  return more > 0 ? [...lines, `  and ${more} more (-v)`] : lines;
}

function signatureSection({ signatures }: Inspection, { width, colors, verbose }: ReportStyle): string[] {
  const { shown, more } = shortened(signatures, verbose);
  const lines = shown.flatMap(({ name, method, inputs, outputs, missing }) => {
    const keys = (tensors: readonly SignatureTensorInspection[]) => tensors.map(({ key }) => key).join(', ');
    const line = `${colors.bold('signature')} ${name}: ${keys(inputs) || 'nothing'} -> ${keys(outputs) || 'nothing'}`;
    const absent =
      missing.length === 0
        ? []
        : labelled('    ', `not in the graph: ${listed(missing, verbose ? missing.length : 5)}`, width);
    if (!verbose) return [...labelled('  ', line, width), ...absent];
    const tensorLine = (direction: string) => (tensor: SignatureTensorInspection) =>
      `    ${direction} ${tensor.key} = ${tensor.name} ${tensor.dtype} ${shapeText(tensor.shape)}`;
    return [
      ...labelled('  ', method === undefined ? line : `${line} (${method})`, width),
      ...inputs.map(tensorLine('input')),
      ...outputs.map(tensorLine('output')),
      ...absent,
    ];
  });
  return more > 0 ? [...lines, `  and ${more} more signatures (-v)`] : lines;
}

/** How many ops are named without -v. */
const SHOWN_OPS = 8;

function sizeSection({ size, ops }: Inspection, { width, verbose, colors }: ReportStyle): string[] {
  const { variables, inferenceVariables, constants, functions } = size;
  const inFunctions = functions > 0 ? `, ${plural(functions, 'function')}` : '';
  const lines = [`${plural(size.nodes, 'node')}${inFunctions}, ${unbroken(byteText(size.graphBytes))}`];
  if (variables.tensors > 0) {
    const used =
      inferenceVariables.tensors === variables.tensors
        ? ', all of which feed the outputs'
        : `; ${amountText(inferenceVariables, 'parameter', 'variable')} (${unbroken(byteText(inferenceVariables.bytes))}) feed the outputs`;
    lines.push(`${amountText(variables, 'parameter', 'variable')} (${unbroken(byteText(variables.bytes))})${used}`);
  }
  if (variables.tensors === 0 || verbose) {
    lines.push(`${amountText(constants, 'number', 'constant')} (${unbroken(byteText(constants.bytes))})`);
  }
  lines.push(`${plural(ops.length, 'op type')}: ${opsText(ops, verbose)}`);
  return hanging(
    `  ${colors.bold('size')}  `,
    lines.flatMap((line) => wrapped(line, width - 8)),
    8,
  );
}

function opsText(ops: readonly OpCount[], all: boolean): string {
  const texts = ops.map(({ op, count }) => unbroken(`${op} ${countText(count)}`));
  return listed(texts, all ? texts.length : SHOWN_OPS);
}

/** What to do about it. */
function nextLines(inspection: Inspection, path: string, { colors }: ReportStyle): string[] {
  const { kind } = inspection.verdict;
  if (kind !== 'affected' && kind !== 'needs_flags') return [];
  return [`${colors.bold('Next')}  bnfix freeze ${shellQuoted(path)} -o frozen.pb${chosenOutputs(inspection)}`];
}

/** The option that names outputs, where they are unclear. */
function chosenOutputs({ outputs, signatures, candidates }: Inspection): string {
  if (outputs.length > 0) return '';
  const [signature] = signatures;
  if (signature) return ` --signature ${shellQuoted(signature.name)}`;
  const proposed = candidates.filter(({ demotion }) => !demotion).map(({ name }) => name);
  return proposed.length > 0 ? ` --outputs ${shellQuoted(proposed.slice(0, 4).join(','))}` : '';
}
