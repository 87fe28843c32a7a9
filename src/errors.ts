/**
 * The kind of a failure; each has its own exit code in the CLI.
 *
 * - `usage`: an option names what does not exist, or an option is required
 * - `unreadable`: an input is missing, of the wrong type, truncated or corrupt
 * - `statistics`: variables or moving statistics are missing, untrained or not sane
 * - `unsupported`: a pattern that bnfix cannot repair
 * - `unwritable`: the result cannot be written
 * - `internal`: a bug in bnfix
 * - `interrupted`: stopped from outside
 */
export type ErrorCode =
  | 'usage'
  | 'unreadable'
  | 'statistics'
  | 'unsupported'
  | 'unwritable'
  | 'internal'
  | 'interrupted';

/** Process exit code of each kind of failure. 0 is success, 1 that `check` found an affected model, or that a graph is not proved right. */
export const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  unreadable: 3,
  statistics: 4,
  unsupported: 5,
  unwritable: 6,
  internal: 70,
  interrupted: 130,
};

/** A fix for an error: an option to give, an action to take, or both. */
export interface Fix {
  /** The option of `load`, `freeze` or `fold` that helps, by its name in the library; or `calibrate`, the function, with the model as value. */
  readonly option?: string;
  /** The value of the option, as on the command line (`conv1/bn`, `is_training=false`); undefined for `true`. */
  readonly value?: string;
  /** What the option does; without an option, what to do. */
  readonly text?: string;
}

/** The details of a {@link BnfixError}. */
export interface ErrorDetail {
  /** File or node that it is about. */
  readonly where?: string | undefined;
  /** Details: a line each. A line break within one comes from a name: it is not one of the text. */
  readonly why?: string | readonly string[] | undefined;
  /** The same without anything left out, if `why` ends in a list that is cut short. */
  readonly wholeWhy?: readonly string[] | undefined;
  /** What the user can do about it. */
  readonly fix?: string | Fix | readonly (string | Fix)[] | undefined;
  /** The option that it is about, by its name in the library. */
  readonly option?: string | undefined;
  /** What the user may have meant, the likeliest first: names of nodes, files, options. */
  readonly candidates?: readonly string[] | undefined;
  /** The same facts as data: names, problems with their codes. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** The original error, if this one explains it. */
  readonly cause?: unknown;
}

/** The only error that bnfix throws deliberately: what happened, where, why, and how to fix it. */
export class BnfixError extends Error {
  /** The kind of failure; {@link EXIT_CODES} has its exit code. */
  readonly code: ErrorCode;
  /** File or node that it is about. */
  readonly where: string | undefined;
  /** Details, one a line; {@link whyLines} joined. */
  readonly why: string | undefined;
  /** Details; empty if there are none. */
  readonly whyLines: readonly string[];
  /** The same without anything left out, if {@link whyLines} ends in a list that is cut short. */
  readonly wholeWhy: readonly string[] | undefined;
  /** Possible fixes, the best first. */
  readonly fixes: readonly Fix[];
  /** The option that it is about, by its name in the library. */
  readonly option: string | undefined;
  /** What the user may have meant, the likeliest first: names of nodes, files, options. Empty if nothing is near. */
  readonly candidates: readonly string[];
  /** The same facts as data; docs/report.schema.json is their schema. */
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'BnfixError';
    this.code = code;
    this.where = detail.where;
    this.whyLines = detail.why === undefined ? [] : typeof detail.why === 'string' ? [detail.why] : detail.why;
    this.why = this.whyLines.length === 0 ? undefined : this.whyLines.join('\n');
    this.wholeWhy = detail.wholeWhy;
    this.option = detail.option;
    this.data = detail.data;
    this.candidates = detail.candidates ?? [];
    const fixes = detail.fix === undefined ? [] : Array.isArray(detail.fix) ? detail.fix : [detail.fix];
    this.fixes = fixes.map((fix: string | Fix) => (typeof fix === 'string' ? { text: fix } : fix));
  }

  /** The fixes as text, one per line, with options as the library names them; undefined if there are none. */
  get fix(): string | undefined {
    return this.fixes.length === 0 ? undefined : this.fixes.map((fix) => fixText(fix, libraryOption)).join('\n');
  }
}

/** The text of a fix. @param optionText - writes an option and its value */
export function fixText(
  { option, value, text }: Fix,
  optionText: (option: string, value: string | undefined) => string,
): string {
  if (option === undefined) return text ?? '';
  return text === undefined ? optionText(option, value) : `${optionText(option, value)}  ${text}`;
}

function libraryOption(option: string, value: string | undefined): string {
  return `${option}: ${value ?? 'true'}`;
}
