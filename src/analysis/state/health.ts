import { elementCount, readDistinct, readNumbers, type Tensor } from '../../graph/tensor.js';
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

/** The smallest and the largest of some numbers. */
export type NumberRange = readonly [smallest: number, largest: number];

/** The values of the moving statistics of a batch norm, summarised; undefined for values that are missing or not finite. */
export interface StatisticsRange {
  readonly channels: number;
  readonly mean: NumberRange | undefined;
  readonly variance: NumberRange | undefined;
}

/** What is wrong with moving statistics, if anything, and their values. */
export interface Health {
  readonly problem: HealthProblem | undefined;
  readonly range: StatisticsRange | undefined;
}

/** Reads and checks the values of moving statistics: a few numbers per channel. */
export function checkHealth(mean: NamedValue, variance: NamedValue): Health {
  try {
    const [meanTensor, varianceTensor] = [mean.value(), variance.value()];
    const channels = [elementCount(meanTensor.shape), elementCount(varianceTensor.shape)] as const;
    const names = [mean.name, variance.name] as const;
    if (channels[0] !== channels[1]) return { problem: { kind: 'wrong_shape', names, channels }, range: undefined };
    const [means, variances] = [readDistinct(meanTensor), readDistinct(varianceTensor)];
    const range = { channels: channels[1], mean: rangeOf(means), variance: rangeOf(variances) };
    return { problem: problemOf(names, means, variances), range };
  } catch (error) {
    return { problem: { kind: 'missing', value: missingValue(error) }, range: undefined };
  }
}

/** The smallest and the largest of some numbers; undefined if there are none, or if one is not finite. */
export function rangeOf(numbers: Float64Array): NumberRange | undefined {
  if (numbers.length === 0 || !numbers.every(Number.isFinite)) return undefined;
  let [smallest, largest] = [numbers[0]!, numbers[0]!];
  for (const number of numbers) {
    if (number < smallest) smallest = number;
    if (number > largest) largest = number;
  }
  return [smallest, largest];
}

/**
 * Checks the statistics of an inference graph: values must be finite, variances not negative. Ignores vectors that are
 * too long for statistics, and missing values.
 */
export function checkStored(variance: NamedValue, mean: NamedValue | undefined, others: readonly NamedValue[]): Health {
  const values = [variance, ...(mean ? [mean] : []), ...others].map((each) => ({ each, numbers: numbersOf(each) }));
  const variances = values[0]!.numbers;
  const means = mean && values[1]!.numbers;
  const range = variances && {
    channels: variances.length,
    mean: means && rangeOf(means),
    variance: rangeOf(variances),
  };
  const infinite = values.find(({ numbers }) => numbers && !numbers.every(Number.isFinite));
  if (infinite) return { problem: { kind: 'not_finite', name: infinite.each.name }, range };
  const smallest = range?.variance?.[0];
  if (smallest !== undefined && smallest < 0) {
    return { problem: { kind: 'negative_variance', name: variance.name, smallest }, range };
  }
  const problem = mean && means && variances && untrainedProblem([mean.name, variance.name], means, variances);
  return { problem, range };
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

function problemOf(
  names: readonly [string, string],
  means: Float64Array,
  variances: Float64Array,
): HealthProblem | undefined {
  if (!means.every(Number.isFinite)) return { kind: 'not_finite', name: names[0] };
  if (!variances.every(Number.isFinite)) return { kind: 'not_finite', name: names[1] };
  const smallest = variances.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  if (smallest < 0) return { kind: 'negative_variance', name: names[1], smallest };
  return untrainedProblem(names, means, variances);
}

function untrainedProblem(
  names: readonly [string, string],
  means: Float64Array,
  variances: Float64Array,
): HealthProblem | undefined {
  if (!isAll(means, 0)) return undefined;
  const value = ([1, 0] as const).find((wanted) => isAll(variances, wanted));
  return value === undefined ? undefined : { kind: 'untrained', names, variance: value };
}
