import pc from 'picocolors';
import { BnfixError, EXIT_CODES, type Fix, fixText } from '../errors.js';
import { flagText } from './flags.js';
import { nullForUndefined } from './json.js';
import { hanging, labelled, padded, wrapped } from './layout.js';
import type { Terminal } from './terminal.js';
import { textWidth } from './text_width.js';

/** How an error is shown. */
export interface ErrorStyle {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  /** Where to print JSON: stderr when stdout receives the graph. */
  readonly jsonTo: 'stdout' | 'stderr';
}

/** How the text of an error is laid out. */
interface TextStyle {
  readonly colors: ReturnType<typeof pc.createColors>;
  readonly width: number;
  readonly verbose: boolean;
}

/** Prints an error as what / where / why / how. @returns its exit code */
export function showError(thrown: unknown, terminal: Terminal, style: ErrorStyle): number {
  const error = thrown instanceof BnfixError ? thrown : internalError(thrown);
  const exitCode = EXIT_CODES[error.code];
  if (style.json) {
    const { code, message, why, option, candidates, data } = error;
    const details = { where: placeOf(error), why, fix: fixOf(error), option, candidates, data };
    const text = JSON.stringify({ error: { code, exitCode, message, ...details } }, nullForUndefined, 2);
    if (style.jsonTo === 'stdout') terminal.out(text);
    else terminal.err(text);
    if (style.jsonTo === 'stderr') return exitCode;
  }
  const colors = pc.createColors(style.color && terminal.hasColor(terminal.stderr));
  terminal.err(errorText(error, { colors, width: terminal.messageWidth, verbose: style.verbose }));
  if (style.verbose && error.code === 'internal') terminal.err(`\n${stackText(error)}`);
  // The part of the graph that the error is about, for bug reports.
  const around = style.verbose ? error.data?.around : undefined;
  if (typeof around === 'string') terminal.err(`\n${around.trimEnd()}`);
  return exitCode;
}

function internalError(thrown: unknown): BnfixError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new BnfixError('internal', message, { cause: thrown });
}

/** The flag or the place that an error is about. */
function placeOf({ option, where }: BnfixError): string | undefined {
  return option === undefined ? where : flagText(option);
}

/** The ways out, one a line, with options as flags. */
function fixOf({ fixes }: BnfixError): string | undefined {
  return fixes.length === 0 ? undefined : fixes.map((fix) => fixText(fix, flagText)).join('\n');
}

/** `where` is left out if the headline contains it. */
function errorText(error: BnfixError, { colors, width, verbose }: TextStyle): string {
  const isBug = error.code === 'internal';
  const headline = isBug ? `internal error: ${error.message}` : error.message;
  const place = placeOf(error);
  const lines = [
    ...hanging('', wrapped(`${colors.red('bnfix:')} ${colors.bold(headline)}`, width - INDENT), INDENT),
    ...detailLines('where', headline.includes(place ?? '') ? undefined : place, colors, width),
    ...detailLines(
      'why',
      whyOf(error, verbose) ?? (isBug ? 'this is a bug in bnfix, not in your model' : undefined),
      colors,
      width,
    ),
  ];
  if (error.fixes.length > 0) return [...lines, ...wayLines(error.fixes, colors, width)].join('\n');
  const report = isBug ? 'please report it with the output of the same command plus -v' : undefined;
  return [...lines, ...detailLines('fix', report, colors, width)].join('\n');
}

/** A list that is cut short is the end of `why`. */
function whyOf({ why, wholeWhy }: BnfixError, verbose: boolean): string | undefined {
  if (wholeWhy === undefined) return why;
  return verbose ? wholeWhy : `${why} (-v lists all)`;
}

const INDENT = 2;

function detailLines(name: string, text: string | undefined, colors: TextStyle['colors'], width: number): string[] {
  if (text === undefined) return [];
  const label = `  ${colors.dim(name.padEnd(5))}  `;
  const indent = textWidth(label);
  const lines = text.split('\n').flatMap((line) => {
    const [first = '', ...rest] = wrapped(line, width - indent - INDENT);
    return [first, ...rest.map((each) => `  ${each}`)];
  });
  return hanging(label, lines, indent);
}

/** A command or an option at the beginning of a text is for pasting: it is not wrapped. */
const FOR_PASTING = /^(bnfix|mkdir|-)/;

/** The ways out: each option with its value in one line, beside what it does if there is room. */
function wayLines(fixes: readonly Fix[], colors: TextStyle['colors'], width: number): string[] {
  const label = `  ${colors.dim(fixes.length === 1 ? 'fix  ' : 'Ways on')}  `;
  const indent = textWidth(label);
  const options = fixes.map(({ option, value }) => (option === undefined ? '' : flagText(option, value)));
  const longest = Math.max(...options.map(textWidth));
  const isBeside = longest <= (width - indent) / 2;
  const lines = fixes.flatMap(({ text = '' }, i) => {
    const option = options[i]!;
    if (option === '')
      return text.split('\n').flatMap((line) => (FOR_PASTING.test(line) ? [line] : wrapped(line, width - indent)));
    if (text === '') return [option];
    if (isBeside) return labelled(`${padded(option, longest)}  `, text, width - indent);
    return [option, ...labelled('  ', text, width - indent)];
  });
  return hanging(label, lines, indent);
}

function stackText(error: Error): string {
  const { cause } = error;
  const own = error.stack ?? error.message;
  return cause instanceof Error ? `${own}\ncaused by ${stackText(cause)}` : own;
}
