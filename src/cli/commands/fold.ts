import type { Options } from 'yargs';
import type { Args } from '../args.js';
import type { Terminal } from '../terminal.js';
import { options as freezeOptions, writeResult } from './freeze.js';

export const options: Readonly<Record<string, Options>> = {
  ...freezeOptions,
  'duplicate-weights': {
    group: 'The result',
    type: 'boolean',
    describe: 'write a kernel that is in use elsewhere a second time to fold into it',
  },
};

export const examples = [
  ['bnfix fold model.meta -o out.pb', 'repair, freeze and fold'],
  ['bnfix fold frozen.pb -o out.pb', 'fold what is frozen already'],
  ['bnfix fold frozen.pb --dry-run -v', 'each batch norm, and why it stays'],
] as const;

export function run(args: Args, terminal: Terminal): Promise<number> {
  const duplicateWeights = args.flag('duplicate-weights');
  return writeResult(args, terminal, {
    command: 'fold',
    done: 'froze and folded the graph',
    load: async () => {
      const { fold } = await import('../../fold.js');
      return (model, options) => fold(model, { ...options, duplicateWeights });
    },
    text: async () => (await import('../fold_report.js')).foldReportText,
  });
}
