import type { CalibrateOptions } from '../../calibration/options.js';
import { BnfixError } from '../../errors.js';
import type { Args } from '../args.js';
import type { Pixels } from '../data/image.js';
import { type FreezeRequest, freezeRequest } from '../freeze_request.js';
import { pixelsOf, wholeOf } from '../number_options.js';

/** The parsed arguments of `bnfix calibrate`. */
export interface CalibrateRequest extends FreezeRequest {
  /** `NAME=FILES`, or `FILES` of the only input. */
  readonly inputs: readonly string[];
  readonly pixels: Pixels;
  /** Its options besides those of `freeze`. */
  readonly calibrate: Pick<CalibrateOptions, 'only' | 'parallel' | 'batch' | 'fold'>;
}

const EXAMPLE = 'bnfix calibrate MODEL --data FILES -o calibrated.pb';

/** @throws BnfixError `usage` when a value is missing or cannot be read */
export function calibrateRequest(args: Args): CalibrateRequest {
  const request = freezeRequest(args, EXAMPLE);
  const inputs = [...args.strings('data'), ...args.strings('input')];
  if (inputs.length === 0) {
    throw new BnfixError('usage', 'no data to calibrate with', {
      where: '--data',
      why: 'statistics are computed from examples of the inputs: arrays (.npy, .npz) or pictures (.png, .jpg)',
      fix: [
        { option: 'data', value: 'FILES', text: 'for a model with one input' },
        { option: 'input', value: 'NAME=FILES', text: 'for each of several inputs' },
      ],
    });
  }
  const only = args.list('only');
  const batch = wholeOf(args, 'batch', 1);
  return {
    ...request,
    inputs,
    pixels: pixelsOf(args),
    calibrate: {
      parallel: args.flag('parallel'),
      fold: args.flag('fold'),
      ...(only.length > 0 && { only }),
      ...(batch !== undefined && { batch }),
    },
  };
}
