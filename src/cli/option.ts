import type { Options } from 'yargs';

/** An option of a command: what yargs takes, and what the help calls its value (`FILE`). */
export interface Option extends Options {
  readonly value?: string;
}

/** An option with a value. @param group - its heading in the help */
export function named(group: string, value: string, describe: string): Option {
  return { group, value, describe, type: 'string', requiresArg: true };
}

/** An option with values: it may be given again. */
export function list(group: string, value: string, describe: string): Option {
  return { ...named(group, value, describe), array: true };
}

/** An option without a value. */
export function flag(group: string, describe: string): Option {
  return { group, describe, type: 'boolean' };
}

/** Options by their names, without dashes. */
export type OptionTable = Readonly<Record<string, Option>>;
