// One fixture for each way in which statistics are updated and switched, a few times over and many times over: no copy may
// cost more because there are others. BNFIX_SCALE=all takes all fixtures, and more copies; any value prints the ratios.
import { describe, expect, it } from 'vitest';
import { fold } from '../../src/freezing/fold.js';
import { freeze } from '../../src/freezing/freeze.js';
import { load } from '../../src/load.js';
import { allCases, type Case } from '../support/cases.js';
import { chained, copiesOf } from '../support/chained.js';
import { readGolden } from '../support/golden.js';
import { bestRatio, cpuSeconds } from './measure.js';

const PATTERNS = [
  'slim_fused_115',
  'slim_unfused_115',
  'slim_adam_115',
  'cond_slim_115',
  'if_layers_115',
  'keras_fused_212',
  'zero_debias_115',
  'renorm_115',
  'ema_no_cond_115',
  'phase_train_115',
  'flag_logic',
  'dropout_rate_115',
  'partitioned_fixed_115',
  'stripped_updates_113',
  'virtual_batch_115',
  'scope_mismatch',
  'while_unfused_113',
];
const ALL = process.env.BNFIX_SCALE === 'all';
const [FEW, MANY] = ALL ? [8, 64] : [4, 48];
/** Of the time per copy. What leaves the processor's cache costs twice as much; a quadratic pass shows as more than four. */
const LIMIT = 3;

/** What is no longer known of a net behind another: a batch size of 1, moments that a shift explains. */
const ALONE = ['batch_of_one', 'moments_shifted_by_moving', 'saved_model_by_hand'];

/** Its unfused batch norms are in inference mode once the flag is pinned; the report does not list them. */
const NOT_REPORTED = 'phase_train_115';

/** Whether a case needs no options but its outputs. */
function canBeChained({ name, expect: expected, freeze: options }: Case): boolean {
  const isFrozen = typeof expected !== 'object' && !ALONE.includes(name);
  return isFrozen && Object.keys(options).every((key) => key === 'outputs');
}

describe('the time per copy does not depend on the number of copies', () => {
  const cases = allCases().filter((one) => (ALL ? canBeChained(one) : PATTERNS.includes(one.name)));

  it.each(cases)(
    '$name',
    async (one) => {
      const golden = readGolden(one.golden);
      const model = await load(one.model, one.load);
      const [output] = Object.keys(golden.outputs);
      const copies = (count: number) => chained(model, count, output!, Object.keys(golden.inputs));
      const perCopy = freeze(copies(1), { outputs: copiesOf(output!, 1) }).report.batchNorms.length;

      const secondsPerCopy = (count: number) => {
        const outputs = copiesOf(output!, count);
        const times = Array.from({ length: 2 }, () => {
          const many = copies(count);
          return cpuSeconds(() => {
            const { report } = fold(many, { outputs });
            expect(report.outputs.map(({ name }) => name)).toEqual(outputs);
            expect(report.batchNorms).toHaveLength(perCopy * count);
          });
        });
        return Math.min(...times) / count;
      };
      secondsPerCopy(2); // compiles the code
      const ratio = await bestRatio(LIMIT, () => secondsPerCopy(MANY) / secondsPerCopy(FEW));
      if (process.env.BNFIX_SCALE) console.log(`${one.name}: x${ratio.toFixed(2)}`);
      model.close();
      if (!ALL && one.name !== NOT_REPORTED) expect(perCopy).toBeGreaterThan(0);
      expect(ratio).toBeLessThan(LIMIT);
    },
    120_000,
  );
});
