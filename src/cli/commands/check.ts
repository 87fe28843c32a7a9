import type { Args } from '../args.js';
import type { OptionTable } from '../option.js';
import type { Terminal } from '../terminal.js';

const FORMATS = ['text', 'json', 'github', 'junit', 'sarif'] as const;

const options: OptionTable = {
  format: {
    value: 'FORMAT',
    type: 'string',
    requiresArg: true,
    choices: FORMATS,
    describe: 'what to print: text, json, github (annotations), junit (XML), sarif',
  },
  rule: {
    value: 'ID=LEVEL',
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'the level of a rule: off, warn or error (docs/check.md lists the rules)',
  },
  tag: {
    value: 'TAGS',
    type: 'string',
    requiresArg: true,
    describe: 'tags of the graph to check in SavedModels: serve or train,gpu (default: serve)',
  },
  'max-warnings': {
    value: 'N',
    type: 'string',
    requiresArg: true,
    describe: 'exit with 1 if there are more warnings than this',
  },
};

const examples = [
  ['bnfix check model.meta', 'one model; its checkpoint need not be there'],
  ['bnfix check models/ exports/*.pb', 'all models in a folder, and some files'],
  ['bnfix check . --format github', 'annotations in a GitHub workflow'],
  ['bnfix check . --rule untrained-statistics=error', 'fail for statistics that were never updated'],
] as const;

async function run(args: Args, terminal: Terminal): Promise<number> {
  const { runCheck } = await import('../run_check.js');
  return runCheck(args, terminal);
}

/** The command `bnfix check`. */
export const check = { options, examples, run };
