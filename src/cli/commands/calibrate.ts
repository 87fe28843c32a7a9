import type { Args } from '../args.js';
import { calibrateRequest } from '../calibrating/calibrate_request.js';
import { PIXEL_OPTIONS } from '../data/data_options.js';
import { flag, list, named, type OptionTable } from '../option.js';
import type { Terminal } from '../terminal.js';
import { RESULT_VERIFICATION_OPTIONS } from '../verifying/result_verification.js';
import { options as freezeOptions } from './freeze.js';

const DATA = 'Data';
const CALIBRATION = 'Calibration';

/** Options of freeze that calibrate has not. */
const NOT_SHARED = new Set(['html', 'config', 'jobs', ...Object.keys(RESULT_VERIFICATION_OPTIONS)]);
const shared = Object.fromEntries(Object.entries(freezeOptions).filter(([name]) => !NOT_SHARED.has(name)));

const options: OptionTable = {
  data: list(DATA, 'FILES', 'examples of the only input: .npy, .npz, .png, .jpg, a folder or a quoted glob of them'),
  input: list(DATA, 'NAME=FILES', 'examples of an input'),
  ...PIXEL_OPTIONS,
  batch: named(DATA, 'N', 'examples to run at a time; the result is the same (default: 32)'),
  only: list(CALIBRATION, 'NAMES', 'batch norms to calibrate: names, scopes or globs (default: all)'),
  parallel: flag(
    CALIBRATION,
    'one pass with batch statistics in every batch norm, as in training (default: layer by layer)',
  ),
  fold: flag(CALIBRATION, 'also fold the batch norms, as bnfix fold does'),
  ...shared,
};

const examples = [
  ['bnfix calibrate model.meta --data photos/ --scale 0.0039 -o out.pb', 'statistics from pictures'],
  ['bnfix calibrate dir/ --data samples.npy -o out.pb --fold', 'an array of examples; fold the result'],
  ['bnfix calibrate gan.meta --input z=noise.npy --input y=labels.npy -o out.pb', 'several inputs'],
  ['bnfix calibrate frozen.pb --data x.npy --only decoder -o out.pb', 'only the batch norms of a scope'],
] as const;

async function run(args: Args, terminal: Terminal): Promise<number> {
  const request = calibrateRequest(args);
  const { runCalibrate } = await import('../run_calibrate.js');
  return runCalibrate(request, args, terminal);
}

/** The command `bnfix calibrate`. */
export const calibrate = { options, examples, run };
