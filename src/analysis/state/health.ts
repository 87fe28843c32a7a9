import { elementCount, readNumbers, type Tensor } from '../../graph/tensor.js';
import { type MissingValue, missingValue } from './checkpoint_value.js';

/** A moving statistic: its name in the graph, and its value. */
export interface NamedValue {
  readonly name: string;
  /** @throws BnfixError `statistics` when it has no value */
  readonly value: () => Tensor;
}

/** What is wrong with moving statistics; the user can allow `untrained` ones only. */
export type HealthProblem =
  | { readonly kind: 'missing'; readonly value: MissingValue }
  /** The mean is 0 and the variance `variance` everywhere: they were never updated. */
  | { readonly kind: 'untrained'; readonly names: readonly [mean: string, variance: string]; readonly variance: 0 | 1 }
  | { readonly kind: 'not_finite'; readonly name: string }
  | { readonly kind: 'negative_variance'; readonly name: string; readonly smallest: number }
  | {
      readonly kind: 'wrong_shape';
      readonly names: readonly [mean: string, variance: string];
      readonly channels: readonly [number, number];
    };

/** Maximum length of statistics, which are vectors. */
const MAX_BYTES = 1 << 20;

/** Whether a vector is all 0 or all 1, as moving statistics are before the first update. */
export function isUntouched(value: Tensor): boolean {
  if (value.shape.length === 0 || value.byteLength > MAX_BYTES) return false;
  const numbers = readNumbers(value);
  return isAll(numbers, 0) || isAll(numbers, 1);
}

function isAll(numbers: Float64Array, wanted: number): boolean {
  return numbers.length > 0 && numbers.every((value) => value === wanted);
}

/** Reads and checks the values of moving statistics: a few numbers per channel. */
export function checkHealth(mean: NamedValue, variance: NamedValue): HealthProblem | undefined {
  try {
    return problemOf([mean.name, variance.name], mean.value(), variance.value());
  } catch (error) {
    return { kind: 'missing', value: missingValue(error) };
  }
}

/**
 * Checks the statistics of an inference graph: values must be finite, variances not negative. Ignores vectors that are
 * too long for statistics, and missing values.
 */
export function checkStored(variance: NamedValue, others: readonly NamedValue[]): HealthProblem | undefined {
  const variances = numbersOf(variance);
  const smallest = variances?.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  for (const each of [variance, ...others]) {
    const numbers = each === variance ? variances : numbersOf(each);
    if (numbers && !numbers.every(Number.isFinite)) return { kind: 'not_finite', name: each.name };
  }
  return smallest !== undefined && smallest < 0
    ? { kind: 'negative_variance', name: variance.name, smallest }
    : undefined;
}

function numbersOf({ value }: NamedValue): Float64Array | undefined {
  try {
    const tensor = value();
    return tensor.byteLength > MAX_BYTES ? undefined : readNumbers(tensor);
  } catch (error) {
    missingValue(error);
    return undefined;
  }
}

function problemOf(names: readonly [string, string], mean: Tensor, variance: Tensor): HealthProblem | undefined {
  const channels = [elementCount(mean.shape), elementCount(variance.shape)] as const;
  if (channels[0] !== channels[1]) return { kind: 'wrong_shape', names, channels };
  const [means, variances] = [readNumbers(mean), readNumbers(variance)];
  if (!means.every(Number.isFinite)) return { kind: 'not_finite', name: names[0] };
  if (!variances.every(Number.isFinite)) return { kind: 'not_finite', name: names[1] };
  const smallest = variances.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  if (smallest < 0) return { kind: 'negative_variance', name: names[1], smallest };
  if (!isAll(means, 0)) return undefined;
  const value = ([1, 0] as const).find((wanted) => isAll(variances, wanted));
  return value === undefined ? undefined : { kind: 'untrained', names, variance: value };
}
