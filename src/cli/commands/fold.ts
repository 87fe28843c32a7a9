import type { Args } from '../args.js';
import { freezeRequest } from '../freeze_request.js';
import type { OptionTable } from '../option.js';
import type { Terminal } from '../terminal.js';
import { resultVerification } from '../verifying/result_verification.js';
import { options as freezeOptions } from './freeze.js';

const options: OptionTable = {
  ...freezeOptions,
  'duplicate-weights': {
    group: 'Output',
    type: 'boolean',
    describe: 'copy a kernel that is also used elsewhere, and fold into the copy',
  },
};

const examples = [
  ['bnfix fold model.meta -o out.pb', 'repair, freeze and fold'],
  ['bnfix fold frozen.pb -o out.pb', 'fold a frozen graph'],
  ['bnfix fold frozen.pb --dry-run -v', 'show each batch norm, and why it is not folded'],
] as const;

async function run(args: Args, terminal: Terminal): Promise<number> {
  if (args.strings('config').length > 0) {
    const { runBatch } = await import('../batch/run_batch.js');
    return runBatch('fold', args, terminal);
  }
  const request = { ...freezeRequest(args), verification: resultVerification(args) };
  const { runFold } = await import('../run_fold.js');
  return runFold(request, args, terminal);
}

/** The command `bnfix fold`. */
export const fold = { options, examples, run };
