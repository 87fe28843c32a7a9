import { checkOptions, type OptionKinds } from '../check_options.js';
import { BnfixError } from '../errors.js';
import { FREEZE_OPTIONS, type FreezeOptions } from '../freezing/options.js';
import type { GraphInput } from '../proof/samples.js';
import type { CalibrationData } from './examples.js';

/** Options of `calibrate`: those of `freeze`, and the data. */
export interface CalibrateOptions extends FreezeOptions {
  /**
   * Examples of the inputs that batch norms depend on, by name; or a function that gives them for these inputs. An input that has the
   * same value for all examples is given without a batch axis.
   */
  readonly data: CalibrationData | ((inputs: readonly GraphInput[]) => CalibrationData | Promise<CalibrationData>);
  /** The batch norms to calibrate: names, scopes or globs. Default: all that feed an output. */
  readonly only?: readonly string[];
  /**
   * One pass in which every batch norm uses batch statistics, as in training. Default: layer by layer, each batch norm with the calibrated
   * statistics of those before it.
   */
  readonly parallel?: boolean;
  /** How many examples to run at a time, where the graph leaves it open. Default: 32. */
  readonly batch?: number;
  /** Fold the batch norms as well. */
  readonly fold?: boolean;
  /** Called after each batch. @param total - how many there will be, in all passes; it may grow */
  readonly onProgress?: (done: number, total: number) => void;
}

const CALIBRATE_OPTIONS: OptionKinds<CalibrateOptions> = {
  ...FREEZE_OPTIONS,
  data: 'any',
  only: 'strings',
  parallel: 'boolean',
  batch: 'number',
  fold: 'boolean',
  onProgress: 'any',
};

/** Checks the options of `calibrate`. @throws BnfixError `usage` */
export function checkCalibrateOptions(options: CalibrateOptions): void {
  checkOptions('calibrate', options, CALIBRATE_OPTIONS);
  const { data, batch } = options;
  if (data === undefined || data === null) {
    throw new BnfixError('usage', 'no data to calibrate with', {
      option: 'data',
      fix: { option: 'data', value: 'FILES', text: 'gives examples: arrays or pictures' },
    });
  }
  if (batch !== undefined && !(Number.isSafeInteger(batch) && batch > 0)) {
    throw new BnfixError('usage', `a batch has at least one example, not ${batch}`, { option: 'batch' });
  }
}
