import type { Options } from 'yargs';
import type { Args } from '../args.js';
import { FREEZE_GRAPH_OPTIONS, freezeRequest } from '../freeze_request.js';
import type { Terminal } from '../terminal.js';

const NAMES = 'What to take';
const STATISTICS = 'Batch norms, dropouts, flags';
const RESULT = 'The result';
const named = (group: string, describe: string): Options => ({ group, describe, type: 'string', requiresArg: true });
const list = (group: string, describe: string): Options => ({ ...named(group, describe), array: true });
const flag = (group: string, describe: string): Options => ({ group, describe, type: 'boolean' });

export const options: Readonly<Record<string, Options>> = {
  output: { ...named(RESULT, 'file to write: .pb, .pbtxt (text), or - for stdout'), alias: 'o' },
  force: flag(RESULT, 'overwrite the file if it is there'),
  sync: flag(RESULT, 'wait until the file is on the disk, so that it survives a power failure'),
  'dry-run': flag(RESULT, 'do everything, read and check every weight, but write nothing'),
  outputs: list(NAMES, 'tensors the result has to answer: a,b or a:0 (default: found in the file)'),
  signature: named(NAMES, 'signature whose outputs are taken (default: serving_default, or the only one)'),
  tag: named(NAMES, 'tags of the graph in a SavedModel: serve or train,gpu'),
  inputs: list(NAMES, 'tensors to cut at: each becomes a placeholder'),
  checkpoint: named(NAMES, 'checkpoint to take the values from (default: the one beside the graph)'),
  reference: {
    ...named(STATISTICS, 'training graph (.meta) of an already frozen model: shows whose statistics are whose'),
    alias: 'meta',
  },
  ema: flag(STATISTICS, 'take the moving averages of the weights (ExponentialMovingAverage)'),
  set: list(STATISTICS, 'NAME=VALUE: pin a placeholder: is_training=false, keep_prob=1'),
  keep: list(STATISTICS, 'batch norms or dropouts to leave as they are: names or globs'),
  map: list(STATISTICS, 'BN=MEAN,VARIANCE: variables or checkpoint keys of its moving statistics'),
  'allow-untrained': flag(STATISTICS, 'take statistics that were never updated as they are'),
  ...FREEZE_GRAPH_OPTIONS,
};

const examples = [
  ['bnfix freeze model.meta -o out.pb', 'the checkpoint is next to it'],
  ['bnfix freeze dir/ -o out.pb --outputs a,b', 'name the outputs'],
  ['bnfix freeze g.pb --checkpoint m-90 -o -', 'graph and values apart, to stdout'],
  ['bnfix freeze model.meta --dry-run -v', 'only look'],
] as const;

async function run(args: Args, terminal: Terminal): Promise<number> {
  const request = freezeRequest(args);
  const { runFreeze } = await import('../run_freeze.js');
  return runFreeze(request, args, terminal);
}

export const freeze = { options, examples, run };
