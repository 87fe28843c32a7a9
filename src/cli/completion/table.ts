import type { Command } from '../commands.js';
import { flagsOf, GENERAL_OPTIONS, valueName } from '../help.js';

/** A command as the scripts of the shells need it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** Whether its arguments are files. */
  readonly takesFiles: boolean;
  /** The values of its argument, if they are known. */
  readonly choices: readonly string[];
}

/** An option and what follows it. */
export interface CompletedOption {
  /** `-o`, `--output` */
  readonly flags: readonly string[];
  readonly describe: string;
  /** What the value is called; undefined for a flag. */
  readonly value: string | undefined;
  readonly takesFile: boolean;
  /** Whether it may be given again. */
  readonly isList: boolean;
  readonly choices: readonly string[];
}

/** Values that are paths. */
const PATHS = /\b(FILE|PREFIX|FOLDER|PATH|MODEL)\b/;

/** All commands with their options, those of every command included. */
export function completedCommands(commands: readonly Command[]): CompletedCommand[] {
  return commands.map(({ name, summary, positional, choices = [], module }) => ({
    name,
    summary,
    takesFiles: PATHS.test(positional),
    choices,
    options: Object.entries({ ...module.options, ...GENERAL_OPTIONS })
      .filter(([, { hidden }]) => !hidden)
      .map(([key, option]) => {
        const [value] = valueName(option);
        return {
          flags: flagsOf(key, option),
          describe: option.describe ?? '',
          value,
          takesFile: PATHS.test(value ?? ''),
          isList: option.array === true,
          choices: (option.choices ?? []).map(String),
        };
      }),
  }));
}
