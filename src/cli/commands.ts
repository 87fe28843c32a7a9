import type { Options } from 'yargs';
import type { Args } from './args.js';
import { fold } from './commands/fold.js';
import { freeze } from './commands/freeze.js';
import type { Terminal } from './terminal.js';

/** An entry of the command table. */
export interface Command {
  readonly name: string;
  /** The name of its positional argument. */
  readonly positional: string;
  readonly positionalText: string;
  /** One line for the help. */
  readonly summary: string;
  readonly module: CommandModule;
}

/** What a file in commands/ exports. It imports the library only when it runs, so that help is fast. */
interface CommandModule {
  readonly options: Readonly<Record<string, Options>>;
  /** A command line and what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** @returns the exit code */
  run(args: Args, terminal: Terminal): Promise<number>;
}

/** All commands. A new one is a file in commands/ and an entry here. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'freeze',
    positional: 'MODEL',
    positionalText: 'any file of the model: .meta, .index, checkpoint prefix or folder, .pb, .pbtxt, SavedModel',
    summary: 'repair the batch norms of a model and write a frozen graph',
    module: freeze,
  },
  {
    name: 'fold',
    positional: 'MODEL',
    positionalText: 'any file of the model; it is frozen first unless it already is',
    summary: 'freeze a model, fold its batch norms into the weights and write the graph',
    module: fold,
  },
];

/** Options that every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, Options>> = {
  json: { type: 'boolean', describe: 'print the report (or the error) as JSON; messages go to stderr' },
  quiet: { type: 'boolean', alias: 'q', describe: 'print errors only' },
  verbose: {
    type: 'boolean',
    alias: 'v',
    describe: 'show every batch norm with its evidence, and every candidate output',
  },
  'no-color': { type: 'boolean', describe: 'no colours (like NO_COLOR=1 in the environment)' },
};
