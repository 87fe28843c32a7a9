import type { Args } from './args.js';
import { calibrate } from './commands/calibrate.js';
import { check } from './commands/check.js';
import { completion, SHELLS } from './commands/completion.js';
import { fold } from './commands/fold.js';
import { freeze } from './commands/freeze.js';
import { init } from './commands/init.js';
import { inspect } from './commands/inspect.js';
import { next } from './commands/next.js';
import { runCommand } from './commands/run.js';
import { verify } from './commands/verify.js';
import type { OptionTable } from './option.js';
import type { Terminal } from './terminal.js';

/** An entry of the command table. */
export interface Command {
  readonly name: string;
  /** The names of its positional arguments; `PATH...` is one or more, `[FIXED]` may be left out. */
  readonly positional: string;
  readonly positionalText: string;
  /** The values that the argument may have, if they are known. */
  readonly choices?: readonly string[];
  /** One line for the help. */
  readonly summary: string;
  readonly module: CommandModule;
}

/** What a file in commands/ exports. It imports the library only when it runs, so that help is fast. */
interface CommandModule {
  readonly options: OptionTable;
  /** A command line and what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** @returns the exit code */
  run(args: Args, terminal: Terminal): Promise<number>;
}

/** What bnfix is for. */
export const INTRODUCTION =
  'Finds and repairs TensorFlow graphs whose batch norms were saved in training mode: their output changes with the batch.';

/** Command lines for a first look. */
export const WHERE_TO_START: readonly (readonly [line: string, what: string])[] = [
  ['bnfix check models/', 'which models are affected'],
  ['bnfix freeze model.meta --dry-run', 'what is wrong with one, and what freeze would do'],
  ['bnfix freeze model.meta -o frozen.pb', 'repair and freeze'],
  ['bnfix next frozen.pb', 'use the result'],
];

/** All commands. A new one is a file in commands/ and an entry here. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'check',
    positional: 'PATH...',
    positionalText: 'models, folders (searched for models) and globs',
    summary: 'tell which models use batch statistics, dropout or unusable statistics at inference',
    module: check,
  },
  {
    name: 'inspect',
    positional: 'MODEL',
    positionalText: 'any file of the model; neither outputs nor a checkpoint are needed',
    summary: 'show what is in a model: batch norms with their statistics, inputs, outputs, flags, size',
    module: inspect,
  },
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
  {
    name: 'verify',
    positional: 'MODEL [FIXED]',
    positionalText: 'the model as it was saved, and a graph that freeze or fold made of it (default: made in memory)',
    summary: 'prove by running it that a repaired graph outputs what it has to',
    module: verify,
  },
  {
    name: 'run',
    positional: 'MODEL',
    positionalText: 'a frozen graph, or any file of another model with its checkpoint',
    summary: 'run a graph as it was saved, and show or save the tensors that it computes',
    module: runCommand,
  },
  {
    name: 'init',
    positional: 'PATH...',
    positionalText: 'models, folders (searched for models) and globs',
    summary: 'write bnfix.config.json, with which freeze --config freezes many models',
    module: init,
  },
  {
    name: 'calibrate',
    positional: 'MODEL',
    positionalText: 'any file of the model, also one whose checkpoint lacks statistics',
    summary: 'compute the statistics of batch norms from sample data, and write a frozen graph',
    module: calibrate,
  },
  {
    name: 'next',
    positional: 'FILE',
    positionalText: 'what freeze or fold wrote',
    summary: 'show how to use a frozen graph in TensorFlow, TFLite, ONNX, OpenVINO, OpenCV and TensorFlow.js',
    module: next,
  },
  {
    name: 'completion',
    positional: 'SHELL',
    positionalText: `${SHELLS.join(', ')} (default: the one of $SHELL)`,
    choices: SHELLS,
    summary: 'print the script with which a shell completes commands and options',
    module: completion,
  },
];

/** Options that every command has. */
export const COMMON_OPTIONS: OptionTable = {
  json: { type: 'boolean', describe: 'print the report (or the error) as JSON; messages go to stderr' },
  quiet: { type: 'boolean', alias: 'q', describe: 'print errors only' },
  verbose: {
    type: 'boolean',
    alias: 'v',
    describe: 'show all: batch norms with their evidence, candidates for outputs, hashes of files',
  },
  'no-color': { type: 'boolean', describe: 'no colours (like NO_COLOR=1 in the environment)' },
};
