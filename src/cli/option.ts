import type { Options } from 'yargs';

/** An option of a command: what yargs takes, and what the help calls its value (`FILE`). */
export interface Option extends Options {
  readonly value?: string;
}

/** Options by their names, without dashes. */
export type OptionTable = Readonly<Record<string, Option>>;
