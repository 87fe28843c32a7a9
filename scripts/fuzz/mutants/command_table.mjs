// The commands that mutants are run with: how often, with which options, and what they are in the library.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calibrate, check, fold, freeze, inspect, load, verify } from '../../../dist/index.js';
import { formatOf } from './results.mjs';

const MODEL = ['checkpoint', 'reference', 'tag', 'outputs', 'signature'];
const REPAIR = ['ema', 'set', 'map'];
const RESULT = ['inputs', 'keep', 'allowUntrained'];

/**
 * `weight`: their frequency. `options`: those that the command line takes; the library gets all. `write` makes a graph that is written,
 * `tell` makes data, and `faultsOf` searches it. `more` returns further arguments for the command line, which may write to the folder `out`.
 * Commands that need examples get them as `options.data` or, in a part `hostile` of the runs, as files of all kinds that may be corrupt.
 * `argv` makes all arguments of a run that has no model of its own. `program` is the command where that is not the name.
 */
export const COMMANDS = {
  freeze: {
    weight: 42,
    options: [...MODEL, ...REPAIR, ...RESULT],
    write: freeze,
    more: (random, out) => [...writing(random), ...page(random, out)],
  },
  fold: { weight: 20, options: [...MODEL, ...REPAIR, ...RESULT], write: fold, more: writing },
  inspect: {
    weight: 10,
    options: [...MODEL, ...REPAIR, 'inputs'],
    tell: inspect,
    more: (random, out) => [...page(random, out), ...(random.chance(0.15) ? ['--svg', `${out}/drawing.svg`] : [])],
  },
  check: {
    weight: 12,
    options: [],
    tell: (model) => check(model),
    more: (random) => (random.chance(0.5) ? ['--format', random.pick(['text', 'github', 'junit', 'sarif'])] : []),
  },
  verify: {
    weight: 9,
    options: [...MODEL, ...REPAIR, 'keep', 'allowUntrained'],
    tell: proof,
    faultsOf: failedProofs,
    more: (random) => [
      '--batch=2',
      ...(random.chance(0.3) ? ['--fold'] : []),
      ...(random.chance(0.3) ? ['--per-layer'] : []),
    ],
  },
  calibrate: {
    weight: 5,
    options: [...MODEL, ...REPAIR, 'keep'],
    write: (model, { inputs: _, ...options }) => calibrate(model, options),
    needsExamples: true,
    hostile: 0.4,
    more: (random, out) => [...writing(random, out), '--batch=2', ...(random.chance(0.3) ? ['--fold'] : [])],
  },
  // Is not in the library. Its files of inputs are hostile, too.
  run: {
    weight: 5,
    options: ['checkpoint', 'tag', 'outputs', 'inputs', 'signature', 'ema', 'set'],
    needsExamples: true,
    hostile: 1,
    more: (random, out) => [
      '--batch=2',
      ...(random.chance(0.3) ? ['--repaired'] : []),
      ...(random.chance(0.3) ? ['--save', `${out}/arrays`] : []),
    ],
  },
  // Nothing is written unless it is proved. Fewer inputs than the net has are drawn by the program.
  'freeze --verify': {
    program: ['freeze', '--verify'],
    weight: 4,
    options: [...MODEL, ...REPAIR, ...RESULT],
    isWriting: true,
    needsExamples: true,
    hostile: 0.4,
    more: (random) => [...writing(random), '--batch=2'],
  },
  // Models of a config, in processes of their own.
  batch: {
    weight: 2,
    options: [],
    isWriting: true,
    argv: configRun,
  },
  // Is not in the library.
  next: {
    weight: 9,
    options: ['outputs'],
    more: (random) => (random.chance(0.3) ? [`--for=${random.pick(['tf2', 'tflite,onnx', 'opencv', 'tfjs'])}`] : []),
  },
};

/** Whether the program is run at all, and not only functions of the library. */
export const onlyCommandLine = (command) =>
  COMMANDS[command].write === undefined && COMMANDS[command].tell === undefined;

/** Whether it writes a result. */
export const writesResult = (command) => COMMANDS[command].write !== undefined || COMMANDS[command].isWriting === true;

/** Whether the program runs in a process of its own: the bundle of the CLI and the library would have a TensorFlow.js each. */
export const needsProcess = (command) => ['verify', 'calibrate', 'run', 'batch', 'freeze --verify'].includes(command);

/** Commands that can run in this process, which is four times as fast: the others need one of their own every time. */
export const QUICK_COMMANDS = Object.keys(COMMANDS).filter((name) => !onlyCommandLine(name) || !needsProcess(name));

/** Repairs a model and proves it; with the folded graph, as `verify --fold` does. */
async function proof(model, options) {
  const { inputs: _, data: __, ...others } = options;
  return verify(model, { ...others, batch: 2, folded: fold(model, others).graph });
}

/** The largest error relative to the largest value that float16 and rounding explain. */
const ROUNDING = 0.05;

/**
 * Outputs that depend on the rest of the batch may be what the mutant computes; what else fails is our result. Values that are not finite
 * come from dtypes that contradict each other, which TensorFlow does not import.
 */
function failedProofs({ proofs }) {
  const isWrong = ({ maxError, magnitude }) =>
    Number.isFinite(maxError) && maxError > ROUNDING * Math.max(1, magnitude);
  const failed = proofs.filter(
    ({ name, status, outputs }) => status === 'failed' && name !== 'batch_independence' && outputs.some(isWrong),
  );
  return failed.map(({ name }) => `verify: ${name} failed`);
}

function writing(random) {
  return [...(random.chance(0.2) ? ['--dry-run'] : []), ...(random.chance(0.1) ? ['--verify-written'] : [])];
}

function page(random, out) {
  return random.chance(0.05) ? ['--html', `${out}/page.html`] : [];
}

/** `freeze --config` with one model, that is `target` in the end. */
function configRun(mutant, folder, target, random) {
  const { model, freeze: options } = mutant;
  const { outputs, inputs, keep, ema, allowUntrained } = options;
  const entry = {
    model: join(folder, model),
    output: target,
    format: formatOf(mutant).name,
    outputs,
    inputs,
    keep,
    ema,
    allowUntrained,
  };
  const path = join(target, '..', 'bnfix.config.json');
  writeFileSync(path, JSON.stringify({ models: [entry] }));
  return [random.pick(['freeze', 'fold']), '--config', path];
}

/** Runs a command by the library. @returns what of it is wrong, and the report of what was written */
export async function runInLibrary(command, path, loadOptions, options, write) {
  const { write: make, tell, faultsOf = () => [] } = COMMANDS[command];
  const model = await load(path, loadOptions);
  try {
    if (tell) {
      const told = await tell(model, options);
      JSON.stringify(told);
      return { faults: faultsOf(told), wrote: false };
    }
    const made = await make(model, options);
    await write(made);
    return { faults: [], wrote: true, report: made.report };
  } finally {
    model.close();
  }
}
