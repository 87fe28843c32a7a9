import type { FrozenModel } from '../freezing/apply.js';
import { type FoldedModel, fold } from '../freezing/fold.js';
import { freeze } from '../freezing/freeze.js';
import type { FreezeOptions } from '../freezing/options.js';
import type { Model } from '../graph/model.js';
import type { Tensor } from '../graph/tensor.js';
import { computeMoments } from './compute_moments.js';
import type { CalibratedGroup } from './layer_report.js';
import { type CalibrateOptions, checkCalibrateOptions } from './options.js';
import { type Place, tensorFor, withValues } from './places.js';
import { prepare } from './prepare.js';
import { quantityOf } from './quantity.js';
import type { CalibrateReport, Calibration } from './report.js';

/** A frozen or folded graph with calibrated statistics, ready to be written. */
export interface CalibratedModel {
  readonly graph: FrozenModel['graph'];
  /** The model with the calibrated statistics. */
  readonly model: Model;
  readonly report: CalibrateReport;
  /** The binary GraphDef. */
  readonly encoded: FrozenModel['encoded'];
  /** The program that it was made for, if the options named one. */
  readonly target?: FrozenModel['target'];
}

/**
 * Computes the moving statistics of batch norms from examples, and freezes the model with them: where they were never trained, are
 * missing, or belong to other data. Means and variances are those of all examples together, in double precision. Does not change the
 * model.
 *
 * @throws BnfixError like `freeze`, except for statistics that it computes; `usage` for data that do not fit the inputs;
 *   `unsupported` for a batch norm whose statistics cannot be computed, or an op that cannot be run
 * @example
 * import { calibrate, load, tensorValue } from 'bnfix';
 * const model = await load('model.meta');
 * const images = tensorValue('float32', [2, 8, 8, 3], Float32Array.from({ length: 384 }, (_, i) => Math.sin(i)));
 * const { report } = await calibrate(model, { data: { 'input/image_input': images } });
 * report.calibration.layers.map(({ channels }) => channels); // [32, 32, 32, 16]
 * model.close();
 */
export async function calibrate(model: Model, options: CalibrateOptions): Promise<CalibratedModel> {
  checkCalibrateOptions(options);
  const prepared = prepare(model, options);
  const { groups, calibration } = await computeMoments(prepared, options);
  const values = new Map<Place, Tensor>();
  for (const { group, moments } of groups) {
    for (const { place, quantity } of group.statistics)
      values.set(place, tensorFor(place, quantityOf(quantity, moments)));
  }
  const calibrated = withValues(model, values);
  const made = frozen(calibrated, prepared.options, options, groups);
  return new Calibrated(made, calibrated, model, calibration);
}

/** The result with the calibrated values. */
function frozen(
  model: Model,
  freezeOptions: FreezeOptions,
  { fold: isFolded }: CalibrateOptions,
  groups: readonly CalibratedGroup[],
): FrozenModel | FoldedModel {
  // Statistics of constant inputs look like those that were never updated.
  const isConstant = groups.some(({ moments }) => moments.squares.every((sum) => sum === 0));
  const options = isConstant ? { ...freezeOptions, allowUntrained: true } : freezeOptions;
  return isFolded ? fold(model, options) : freeze(model, options);
}

class Calibrated implements CalibratedModel {
  readonly model: Model;
  readonly #made: FrozenModel | FoldedModel;
  readonly #original: Model;
  readonly #calibration: Calibration;
  #report: CalibrateReport | undefined;

  constructor(made: FrozenModel | FoldedModel, model: Model, original: Model, calibration: Calibration) {
    this.#made = made;
    this.model = model;
    this.#original = original;
    this.#calibration = calibration;
  }

  get graph(): CalibratedModel['graph'] {
    return this.#made.graph;
  }

  get encoded(): CalibratedModel['encoded'] {
    return this.#made.encoded;
  }

  get target(): CalibratedModel['target'] {
    return this.#made.target;
  }

  get report(): CalibrateReport {
    const { report } = this.#made;
    // A model without a checkpoint has not got one now.
    const checkpoint = this.#original.checkpoint?.name;
    this.#report ??= { ...report, checkpoint, calibration: this.#calibration };
    return this.#report;
  }
}
