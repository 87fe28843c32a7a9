import { expect, it } from 'vitest';
import { parseGraph } from '../../src/notation/parse.js';
import { Evaluated } from '../../src/proof/evaluated.js';
import { acceptRounding, withRounding } from '../../src/proof/rounding.js';
import { numbersOf, tensorValue } from '../../src/run/value.js';

const TOLERANCE = { atol: 1e-6, rtol: 1e-4 };
/** A batch norm of a single value for each channel: mean and input are equal, and the variance is 0. */
const graphOf = (mean: readonly number[]) =>
  parseGraph(`
    x = Placeholder[shape=[1, 1, 1, 2]]
    y = FusedBatchNormV3(x, [1.0, 1.0], [0.0, 0.0], [${mean}], [0.0, 0.0])[is_training=false, epsilon=0.00001]`);

it('a difference that rounding of the statistics makes is none, a larger one is', async () => {
  const mean = tensorValue('float32', [2], [1.5, -2]);
  const rounded = Array.from(numbersOf(withRounding({ mean }).mean!));
  expect(rounded.map((number, i) => Math.abs(number / numbersOf(mean)[i]! - 1))).toEqual([2 ** -20, 2 ** -20]);
  const x = { name: 'x', value: tensorValue('float32', [1, 1, 1, 2], [1.5, -2]), isGiven: true, isBatched: false };
  const [exact, other] = [[1.5, -2], rounded].map((each) => new Evaluated(graphOf(each), [x], ['y:0'], []));
  const found = (maxError: number) => ({
    tensor: 'y:0',
    shape: [1, 1, 1, 2],
    maxError,
    meanError: maxError,
    magnitude: 0,
    sameTop: undefined,
    isWithin: false,
  });
  const accepted = await acceptRounding([found(6e-5), found(6e-3)], { exact: exact!, rounded: other! }, TOLERANCE);
  exact!.close();
  other!.close();
  expect(accepted.map(({ isWithin }) => isWithin)).toEqual([true, false]);
});
