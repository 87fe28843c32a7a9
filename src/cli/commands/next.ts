import { TARGETS } from '../../using/step.js';
import type { Args } from '../args.js';
import type { OptionTable } from '../option.js';
import type { Terminal } from '../terminal.js';

const options: OptionTable = {
  for: {
    value: 'TARGETS',
    type: 'string',
    array: true,
    requiresArg: true,
    describe: `only for these: ${TARGETS.join(', ')}`,
  },
  outputs: {
    value: 'NAMES',
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'tensors to compute: a,b or a:0 (default: detected)',
  },
};

const examples = [
  ['bnfix next frozen.pb', 'TensorFlow, TFLite, ONNX, OpenVINO, OpenCV, TensorFlow.js'],
  ['bnfix next frozen.pb --for tflite,onnx', 'some of them'],
  ['bnfix next frozen.pb --for tf2 > run.py', 'a program: all other lines are comments'],
  ['bnfix next saved_model/', 'a SavedModel; a .meta with its checkpoint as well'],
] as const;

async function run(args: Args, terminal: Terminal): Promise<number> {
  const { runNext } = await import('../run_next.js');
  return runNext(args, terminal);
}

/** The command `bnfix next`. */
export const next = { options, examples, run };
