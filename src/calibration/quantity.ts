import type { MomentValues } from './channel_moments.js';

/**
 * What a stored statistic is a function of mean and variance. `unbiased_...` divide by n - 1: the statistics that a fused batch norm
 * hands to its moving averages do (fused_batch_norm_op.cc), those of tf.nn.moments do not.
 */
export type Quantity = 'mean' | 'variance' | 'unbiased_variance' | 'deviation' | 'unbiased_deviation' | 'second_moment';

/** In the order in which equally good ones are preferred. */
const QUANTITIES: readonly Quantity[] = [
  'mean',
  'variance',
  'unbiased_variance',
  'second_moment',
  'deviation',
  'unbiased_deviation',
];

/** The value of a quantity for each channel. */
export function quantityOf(quantity: Quantity, { count, mean, squares }: MomentValues): Float64Array {
  // Of a single element, the variance is 0, as in fused_batch_norm_op.cc.
  const unbiased = Math.max(count - 1, 1);
  switch (quantity) {
    case 'mean':
      return mean;
    case 'variance':
      return squares.map((sum) => sum / count);
    case 'unbiased_variance':
      return squares.map((sum) => sum / unbiased);
    case 'deviation':
      return squares.map((sum) => Math.sqrt(sum / count));
    case 'unbiased_deviation':
      return squares.map((sum) => Math.sqrt(sum / unbiased));
    case 'second_moment':
      return squares.map((sum, c) => sum / count + mean[c]! ** 2);
  }
}

/** How far a statistic, computed in float32 or float16 from a few examples, may be from what it is, relative to its size. */
const TOLERANCE = 2e-2;
/** How much better a less usual quantity has to fit. */
const CLEARLY = 4;

/**
 * What a statistic is, from its value for a few examples and from the moments of the same examples.
 * @returns undefined if it is none of the known quantities
 */
export function recognise(values: ArrayLike<number>, moments: MomentValues): Quantity | undefined {
  let best: { readonly quantity: Quantity; readonly error: number } | undefined;
  for (const quantity of QUANTITIES) {
    const error = errorOf(values, quantityOf(quantity, moments), moments);
    if (error > TOLERANCE || (best && error * CLEARLY >= best.error)) continue;
    best = { quantity, error };
  }
  return best?.quantity;
}

/** The median over the channels of the error relative to the size of what is in the channel. */
function errorOf(values: ArrayLike<number>, expected: Float64Array, { count, mean, squares }: MomentValues): number {
  if (values.length !== expected.length || expected.length === 0) return Number.POSITIVE_INFINITY;
  const errors = expected.map((value, c) => {
    const variance = squares[c]! / count;
    // A difference of numbers that are large beside it has lost digits.
    const size = Math.abs(value) + 1e-6 * (mean[c]! ** 2 + Math.sqrt(variance)) + 1e-12;
    return Math.abs(values[c]! - value) / size;
  });
  const sorted = errors.sort();
  return sorted[Math.floor(sorted.length / 2)]!;
}
