import pc from 'picocolors';
import { BnfixError, EXIT_CODES, type Fix, fixText } from '../errors.js';
import { printable, printableData } from '../printable.js';
import { type FlagText, flagText } from './flags.js';
import { jsonLines } from './json.js';
import { hanging, labelled, padded, wrapped } from './layout.js';
import type { Terminal } from './terminal.js';
import { textWidth } from './text_width.js';

/** How an error is shown. */
export interface ErrorStyle {
  readonly json: boolean;
  readonly verbose: boolean;
  /** Where to print JSON: stderr when stdout receives the graph. */
  readonly jsonTo: 'stdout' | 'stderr';
  /** Writes the options of fixes. */
  readonly flagText?: FlagText;
}

/** How the text of an error is laid out. */
interface TextStyle {
  readonly colors: ReturnType<typeof pc.createColors>;
  readonly width: number;
  readonly verbose: boolean;
  readonly flagText: FlagText;
}

/** Prints an error as what / where / why / how. @returns its exit code */
export function showError(thrown: unknown, terminal: Terminal, style: ErrorStyle): number {
  const error = thrown instanceof BnfixError ? thrown : internalError(thrown);
  const exitCode = EXIT_CODES[error.code];
  const write = style.flagText ?? flagText;
  if (style.json) {
    terminal.say(jsonLines({ error: errorData(error, write) }), terminal[style.jsonTo]);
    if (style.jsonTo === 'stderr') return exitCode;
  }
  const colors = pc.createColors(terminal.hasColor(terminal.stderr));
  terminal.err(...errorLines(error, { colors, width: terminal.messageWidth, verbose: style.verbose, flagText: write }));
  if (style.verbose && error.code === 'internal') terminal.err('', ...stackLines(error));
  // The part of the graph that the error is about, for bug reports.
  const around = style.verbose ? error.data?.around : undefined;
  if (typeof around === 'string') terminal.err('', ...around.trimEnd().split('\n').map(printable));
  return exitCode;
}

/** An error as `--json` has it. */
export function errorData(error: BnfixError, write: FlagText = flagText): object {
  const { code, message, why, option, candidates, data } = error;
  return {
    code,
    exitCode: EXIT_CODES[code],
    message,
    where: placeOf(error),
    why,
    fix: fixOf(error, write),
    option,
    candidates,
    data,
  };
}

/** The text of an error, for a log. */
export function errorText(error: BnfixError): string {
  const colors = pc.createColors(false);
  return errorLines(error, { colors, width: Number.POSITIVE_INFINITY, verbose: false, flagText }).join('\n');
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
function fixOf({ fixes }: BnfixError, write: FlagText): string | undefined {
  return fixes.length === 0 ? undefined : fixes.map((fix) => fixText(fix, write)).join('\n');
}

/** `where` is left out if the headline contains it. What comes from outside, such as names, is shown as printable text. */
function errorLines(error: BnfixError, style: TextStyle): string[] {
  const { colors, width, verbose } = style;
  const isBug = error.code === 'internal';
  const headline = printableData(isBug ? `internal error: ${error.message}` : error.message);
  const place = printableData(placeOf(error) ?? '');
  const why = whyOf(error, verbose).map(printable);
  if (isBug && why.length === 0) why.push('this is a bug in bnfix, not in your model');
  const lines = [
    ...hanging('', wrapped(`${colors.red('bnfix:')} ${colors.bold(headline)}`, width - INDENT), INDENT),
    ...detailLines('where', headline.includes(place) ? [] : [place], colors, width),
    ...detailLines('why', why, colors, width),
  ];
  if (error.fixes.length > 0) return [...lines, ...wayLines(error.fixes, style)];
  const report = isBug ? ['please report it with the output of the same command plus -v'] : [];
  return [...lines, ...detailLines('fix', report, colors, width)];
}

/** A list that is cut short is the end of `why`. */
function whyOf({ whyLines, wholeWhy }: BnfixError, verbose: boolean): string[] {
  if (wholeWhy === undefined) return [...whyLines];
  return verbose ? [...wholeWhy] : [...whyLines.slice(0, -1), `${whyLines.at(-1)} (-v lists all)`];
}

const INDENT = 2;

function detailLines(name: string, texts: readonly string[], colors: TextStyle['colors'], width: number): string[] {
  const label = `  ${colors.dim(name.padEnd(5))}  `;
  const indent = textWidth(label);
  const lines = texts.flatMap((text) => {
    const [first = '', ...rest] = wrapped(text, width - indent - INDENT);
    return [first, ...rest.map((each) => `  ${each}`)];
  });
  return hanging(label, lines, indent);
}

/** A command or an option at the beginning of a text is for pasting: it is not wrapped. */
const FOR_PASTING = /^(bnfix|mkdir|-)/;

/** In lines of any length, as in a log: a wider column would be mostly spaces. */
const WIDEST_COLUMN = 60;

/** The ways out: each option with its value in one line, beside what it does if there is room. */
function wayLines(fixes: readonly Fix[], { colors, width, flagText: write }: TextStyle): string[] {
  const label = `  ${colors.dim(fixes.length === 1 ? 'fix  ' : 'fixes')}  `;
  const indent = textWidth(label);
  const options = fixes.map(({ option, value }) => (option === undefined ? '' : write(option, value)));
  // Another command is too long for a column.
  const isCommand = (option: string) => option.startsWith('bnfix ');
  const longest = Math.max(0, ...options.filter((option) => !isCommand(option)).map(textWidth));
  const isBeside = longest <= Math.min((width - indent) / 2, WIDEST_COLUMN);
  const lines = fixes.flatMap((fix, i) => {
    const text = printable(fix.text ?? '');
    const option = options[i]!;
    if (option === '') return FOR_PASTING.test(text) ? [text] : wrapped(text, width - indent);
    if (text === '') return [option];
    if (isBeside && !isCommand(option)) return labelled(`${padded(option, longest)}  `, text, width - indent);
    return [option, ...labelled('  ', text, width - indent)];
  });
  return hanging(label, lines, indent);
}

/** Where an error was thrown; the message, which may have any text in it, is one line. */
function stackLines({ name, message, stack = '', cause }: Error): string[] {
  const head = `${name}: ${message}`;
  const frames = stack.startsWith(head) ? stack.slice(head.length).split('\n') : stack.split('\n');
  const own = [printable(head), ...frames.filter((frame) => /^ {4}at /.test(frame))];
  if (!(cause instanceof Error)) return own;
  const [first, ...rest] = stackLines(cause);
  return [...own, `caused by ${first}`, ...rest];
}
