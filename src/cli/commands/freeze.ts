import { FORMAT_NAMES } from '../../formats/destination.js';
import { TARGET_NAMES } from '../../freezing/target_names.js';
import type { Args } from '../args.js';
import { FREEZE_GRAPH_OPTIONS, freezeRequest } from '../freeze_request.js';
import { flag, list, named, type OptionTable } from '../option.js';
import type { Terminal } from '../terminal.js';
import { RESULT_VERIFICATION_OPTIONS, resultVerification } from '../verifying/result_verification.js';

const NAMES = 'Model';
const STATISTICS = 'Batch norms, dropouts, flags';
const RESULT = 'Output';
const MANY = 'Many models';

/** Options of `bnfix freeze`; `bnfix fold` has them as well. */
export const options: OptionTable = {
  output: {
    ...named(
      RESULT,
      'FILE',
      'what to write: .pb, .pbtxt (text), .meta, DIR/model.json, DIR/saved_model.pb, or - for stdout',
    ),
    alias: 'o',
  },
  format: {
    ...named(
      RESULT,
      'FORMAT',
      'format of the result: pb, pbtxt, tfjs, saved_model or meta (default: by the name after -o)',
    ),
    choices: FORMAT_NAMES,
  },
  quantize: {
    ...named(RESULT, 'DTYPE', 'store float weights of a tfjs model as float16, uint8 or uint16'),
    choices: ['float16', 'uint8', 'uint16'],
  },
  html: named(RESULT, 'FILE', 'also write a report as one HTML page; with --dry-run, only that'),
  force: flag(RESULT, 'overwrite existing files'),
  sync: flag(RESULT, 'wait until the result is on disk, so that it survives a power failure'),
  'verify-written': flag(RESULT, 'read the result again after writing it, and compare it'),
  config: { ...named(MANY, 'FILE', 'run all models of a config (default: bnfix.config.json)'), requiresArg: false },
  jobs: named(MANY, 'N', 'with --config, models to work on at the same time (default: one for each core)'),
  'dry-run': flag(RESULT, 'do everything, including reading and checking every weight, but write nothing'),
  outputs: list(NAMES, 'NAMES', 'tensors to keep as outputs of the frozen graph: a,b or a:0 (default: detected)'),
  signature: named(NAMES, 'NAME', 'signature whose outputs to keep (default: serving_default, or the only one)'),
  tag: named(NAMES, 'TAGS', 'tags of the graph in a SavedModel: serve or train,gpu'),
  inputs: list(NAMES, 'NAMES', 'tensors to cut at: each becomes a placeholder (default: the ends of input pipelines)'),
  'input-shape': list(
    NAMES,
    'NAME=SHAPE',
    'shape of an input: x=1,224,224,3, or x=?,224,224,3 with an open batch; checked, and what follows is evaluated',
  ),
  'output-names': list(NAMES, 'NAME=NEW', 'new names of outputs: model/Softmax=probs,model/Relu_3=features'),
  target: {
    ...named(RESULT, 'PROGRAM', `write an equivalent graph that suits a program: ${TARGET_NAMES.join(', ')}`),
    choices: TARGET_NAMES,
  },
  checkpoint: named(NAMES, 'PREFIX', 'checkpoint with the weights (default: the one next to the graph)'),
  reference: {
    ...named(
      STATISTICS,
      'FILE',
      'training graph (.meta) of an already frozen model: pairs batch norms with their statistics',
    ),
    alias: 'meta',
  },
  ema: flag(STATISTICS, 'use the moving averages of the weights (ExponentialMovingAverage)'),
  set: list(
    STATISTICS,
    'NAME=VALUE',
    'pin a placeholder: is_training=false, keep_prob=1 (default: flags are detected)',
  ),
  keep: list(STATISTICS, 'NAMES', 'batch norms, dropouts or flags to leave as they are: names or globs'),
  map: list(STATISTICS, 'BN=MEAN,VARIANCE', 'variables or checkpoint keys with the moving statistics of a batch norm'),
  'allow-untrained': flag(STATISTICS, 'accept statistics that were never updated'),
  ...RESULT_VERIFICATION_OPTIONS,
  ...FREEZE_GRAPH_OPTIONS,
};

const examples = [
  ['bnfix freeze model.meta -o out.pb', 'the checkpoint is next to it'],
  ['bnfix freeze dir/ -o out.pb --outputs a,b', 'name the outputs'],
  ['bnfix freeze g.pb --checkpoint m-90 -o -', 'checkpoint elsewhere, result to stdout'],
  ['bnfix freeze model.meta -o web --format tfjs', 'a folder for TensorFlow.js'],
  ['bnfix freeze model.meta --dry-run -v', 'analyse only, in detail'],
  ['bnfix freeze model.meta -o out.pb --verify', 'write nothing unless it is proved right'],
  ['bnfix freeze --config', 'all models of bnfix.config.json, several at a time'],
] as const;

async function run(args: Args, terminal: Terminal): Promise<number> {
  if (args.strings('config').length > 0) {
    const { runBatch } = await import('../batch/run_batch.js');
    return runBatch('freeze', args, terminal);
  }
  const request = { ...freezeRequest(args), verification: resultVerification(args) };
  const { runFreeze } = await import('../run_freeze.js');
  return runFreeze(request, args, terminal);
}

/** The command `bnfix freeze`. */
export const freeze = { options, examples, run };
