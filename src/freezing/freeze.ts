import { checkOptions } from '../check_options.js';
import type { Model } from '../graph/model.js';
import { analyse } from './analyse.js';
import { apply, type FrozenModel } from './apply.js';
import { FREEZE_OPTIONS, type FreezeOptions } from './options.js';

/**
 * Repairs the batch norms of a model and freezes it: returns a graph without variables that has the same outputs as the true
 * inference graph. Does not change the model.
 *
 * @throws BnfixError `usage` when outputs have to be named, `statistics` when moving statistics or variables are missing
 *   or not sane, `unsupported` for a pattern that cannot be repaired: never a graph that is only probably right.
 * @example
 * import { freeze, load } from 'bnfix';
 * const model = await load('model.meta');
 * const { report } = freeze(model, { outputs: ['output/image_output'] });
 * report.batchNorms.map(({ status }) => status); // ['repaired', 'repaired', 'repaired', 'repaired']
 * model.close();
 */
export function freeze(model: Model, options: FreezeOptions = {}): FrozenModel {
  checkOptions('freeze', options, FREEZE_OPTIONS);
  return apply(analyse(model, options));
}
