import pc from 'picocolors';
import { BnfixError, EXIT_CODES, fixText } from '../errors.js';
import { flagText } from './flags.js';
import { nullForUndefined } from './json.js';
import type { Terminal } from './terminal.js';

/** How an error is shown. */
export interface ErrorStyle {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  /** Where to print JSON: stderr when stdout receives the graph. */
  readonly jsonTo: 'stdout' | 'stderr';
}

/** Prints an error as what / where / why / how. @returns its exit code */
export function showError(thrown: unknown, terminal: Terminal, style: ErrorStyle): number {
  const error = thrown instanceof BnfixError ? thrown : internalError(thrown);
  const exitCode = EXIT_CODES[error.code];
  if (style.json) {
    const { code, message, why, option, data } = error;
    const details = { where: placeOf(error), why, fix: fixOf(error), option, data };
    const text = JSON.stringify({ error: { code, exitCode, message, ...details } }, nullForUndefined, 2);
    if (style.jsonTo === 'stdout') terminal.out(text);
    else terminal.err(text);
    if (style.jsonTo === 'stderr') return exitCode;
  }
  terminal.err(errorText(error, style.color && terminal.hasColor(terminal.stderr)));
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

function errorText(error: BnfixError, color: boolean): string {
  const colors = pc.createColors(color);
  const isBug = error.code === 'internal';
  const details: [string, string | undefined][] = [
    ['where', placeOf(error)],
    ['why', error.why ?? (isBug ? 'this is a bug in bnfix, not in your model' : undefined)],
    ['fix', fixOf(error) ?? (isBug ? 'please report it with the output of the same command plus -v' : undefined)],
  ];
  const lines = [`${colors.red('bnfix:')} ${colors.bold(isBug ? `internal error: ${error.message}` : error.message)}`];
  for (const [name, text] of details) {
    // The first line of a multi-line text introduces the others, which are indented below it.
    if (text !== undefined) lines.push(`  ${colors.dim(name.padEnd(5))}  ${text.split('\n').join('\n         ')}`);
  }
  return lines.join('\n');
}

function stackText(error: Error): string {
  const { cause } = error;
  const own = error.stack ?? error.message;
  return cause instanceof Error ? `${own}\ncaused by ${stackText(cause)}` : own;
}
