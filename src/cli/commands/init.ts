import type { Args } from '../args.js';
import type { OptionTable } from '../option.js';
import type { Terminal } from '../terminal.js';

const options: OptionTable = {
  output: {
    value: 'FILE',
    alias: 'o',
    type: 'string',
    requiresArg: true,
    describe: 'file to write (default: bnfix.config.json)',
  },
  force: { type: 'boolean', describe: 'overwrite an existing file' },
};

const examples = [
  ['bnfix init models/', 'write bnfix.config.json for all models in a folder'],
  ['bnfix init a.meta b.meta -o nets.json', 'for some models, to another file'],
] as const;

async function run(args: Args, terminal: Terminal): Promise<number> {
  const { runInit } = await import('../run_init.js');
  return runInit(args, terminal);
}

/** The command `bnfix init`. */
export const init = { options, examples, run };
