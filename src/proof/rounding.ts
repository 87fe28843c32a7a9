import { generator } from '../run/random.js';
import { numbersOf, type TensorValue, type TensorValues, tensorValue } from '../run/value.js';
import type { Comparison, Tolerance } from './compare.js';
import { compareGraphs } from './compare_graphs.js';
import type { Evaluated } from './evaluated.js';

/** Sixteen times what float32 rounds off: about what the sums of a convolution lose. */
const STEP = 2 ** -20;
const SEED = 7;

/** The same statistics with a relative error of 2^-20 each, up or down; values of other dtypes than float stay. */
export function withRounding(values: TensorValues): TensorValues {
  const random = generator(SEED);
  const rounded = ({ dtype, shape }: TensorValue, numbers: readonly number[]) =>
    tensorValue(
      dtype,
      shape,
      numbers.map((number) => number * (1 + (random() < 0.5 ? -STEP : STEP))),
    );
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      /^float/.test(value.dtype) ? rounded(value, Array.from(numbersOf(value))) : value,
    ]),
  );
}

/**
 * Accepts differences that rounding of the statistics alone would make: a batch norm of a single value for each channel (one example
 * of 1x1) has variance 0, and multiplies every rounding error before it by 1 / sqrt(epsilon).
 * @param graphs - one graph, with statistics and with rounded ones
 */
export async function acceptRounding(
  compared: readonly Comparison[],
  graphs: { readonly exact: Evaluated; readonly rounded: Evaluated },
  tolerance: Tolerance,
): Promise<Comparison[]> {
  const names = compared.map(({ tensor }) => tensor);
  const noise = await compareGraphs(graphs.rounded, graphs.exact, names, tolerance);
  const errors = new Map(noise.map(({ tensor, maxError }) => [tensor, maxError]));
  return compared.map((each) => {
    const bound = tolerance.atol + tolerance.rtol * each.magnitude + (errors.get(each.tensor) ?? 0);
    return { ...each, isWithin: each.isWithin || (Number.isFinite(bound) && each.maxError <= bound) };
  });
}
