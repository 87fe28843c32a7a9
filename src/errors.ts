/**
 * What kind of failure it is; the CLI gives each its own exit code.
 *
 * - `usage`: what was asked for cannot be meant (unknown output, missing flag)
 * - `unreadable`: an input is missing, of another kind, truncated or corrupt
 * - `statistics`: variables or moving statistics are missing, untrained or not sane
 * - `unsupported`: a form that bnfix does not know how to repair
 * - `unwritable`: the result cannot be written
 * - `internal`: a fault of bnfix itself
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

/** Process exit code of each kind of failure. 0 is done, 1 is kept for a finding of `check` and `verify`. */
export const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  unreadable: 3,
  statistics: 4,
  unsupported: 5,
  unwritable: 6,
  internal: 70,
  interrupted: 130,
};

/** The one error that bnfix throws on purpose: what happened, where, why, and how to mend it. */
export class BnfixError extends Error {
  readonly code: ErrorCode;
  /** File, node or flag that it is about. */
  readonly where: string | undefined;
  readonly why: string | undefined;
  /** What the user can do about it. */
  readonly fix: string | undefined;

  constructor(
    code: ErrorCode,
    what: string,
    detail: {
      where?: string | undefined;
      why?: string | undefined;
      fix?: string | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(what, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'BnfixError';
    this.code = code;
    this.where = detail.where;
    this.why = detail.why;
    this.fix = detail.fix;
  }
}
