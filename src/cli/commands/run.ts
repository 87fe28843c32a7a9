import type { Args } from '../args.js';
import { DATA_OPTIONS } from '../data/data_options.js';
import { flag, list, named, type OptionTable } from '../option.js';
import { runRequest } from '../running/run_request.js';
import type { Terminal } from '../terminal.js';
import { options as freezeOptions } from './freeze.js';

/** The options of freeze that change what is run. */
const SHARED = ['signature', 'tag', 'inputs', 'checkpoint', 'ema', 'set'] as const;

const options: OptionTable = {
  ...DATA_OPTIONS,
  input: list(
    'Data',
    'NAME=FILE',
    'values of an input (without NAME=: of the only one), or of any other tensor: .npy, .npz, .png, .jpg (default: random)',
  ),
  fetch: {
    ...list('Run', 'NAMES', 'tensors to compute: a,b or a:0 (default: the outputs)'),
    // As errors about outputs call it.
    alias: 'outputs',
  },
  repaired: flag('Run', 'run the repaired graph, as freeze makes it (default: the graph as it was saved)'),
  save: named('Output', 'DIR', 'write the fetched tensors to DIR/outputs.npz'),
  force: flag('Output', 'overwrite existing files'),
  ...Object.fromEntries(SHARED.map((name) => [name, freezeOptions[name]!])),
};

const examples = [
  ['bnfix run frozen.pb --input image=photo.png --scale 0.0039', 'the outputs of a frozen graph for a picture'],
  ['bnfix run model.meta --input x=batch.npy --fetch logits', 'a model as it was saved, with its checkpoint'],
  ['bnfix run model.meta --input x=batch.npy --repaired', 'the same model, repaired in memory'],
  ['bnfix run frozen.pb --fetch conv1/Relu,out --save results', 'inner tensors; all values to results/outputs.npz'],
] as const;

async function run(args: Args, terminal: Terminal): Promise<number> {
  const request = runRequest(args);
  const { runRun } = await import('../run_run.js');
  return runRun(request, args, terminal);
}

/** The command `bnfix run`. */
export const runCommand = { options, examples, run };
