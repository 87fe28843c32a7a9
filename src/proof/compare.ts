import { numbersOf, type TensorValue } from '../run/value.js';

/** How far two values may differ: `|a - b| <= atol + rtol * s`, where `s` is the largest finite magnitude in `b`. */
export interface Tolerance {
  readonly atol: number;
  readonly rtol: number;
}

/** How a tensor of one graph differs from the same tensor of another. */
export interface Comparison {
  /** `name:port`. */
  readonly tensor: string;
  readonly shape: readonly number[];
  /** The largest |a - b|; infinite where one of both is not finite, or the shapes differ. */
  readonly maxError: number;
  readonly meanError: number;
  /** The largest finite magnitude of the expected values. */
  readonly magnitude: number;
  /** For how many of all rows along the last axis the largest element is the same; undefined for vectors and scalars. */
  readonly sameTop: { readonly rows: number; readonly of: number } | undefined;
  readonly isWithin: boolean;
}

/** Compares a value with the expected one. NaN equals NaN, and an infinity equals itself. */
export function compare(tensor: string, actual: TensorValue, expected: TensorValue, tolerance: Tolerance): Comparison {
  const [a, b] = [elementsOf(actual), elementsOf(expected)];
  const sameShape = `${actual.shape}` === `${expected.shape}`;
  let [max, sum, magnitude] = [sameShape ? 0 : Number.POSITIVE_INFINITY, 0, 0];
  for (let i = 0; sameShape && i < a.length; i++) {
    const error = difference(a[i]!, b[i]!);
    if (error > max) max = error;
    sum += error;
    if (Number.isFinite(b[i]!)) magnitude = Math.max(magnitude, Math.abs(b[i]!));
  }
  return {
    tensor,
    shape: actual.shape,
    maxError: max,
    meanError: sameShape ? sum / Math.max(a.length, 1) : max,
    magnitude,
    sameTop: sameShape ? sameTop(a, b, actual.shape) : undefined,
    isWithin: max <= tolerance.atol + tolerance.rtol * magnitude,
  };
}

/** The elements as numbers; only integers of 64 bits are copied. */
function elementsOf(value: TensorValue): ArrayLike<number> {
  const { dtype, data } = value;
  if (dtype === 'string' || dtype === 'int64' || dtype === 'uint64') return numbersOf(value);
  return data as ArrayLike<number>;
}

function difference(a: number, b: number): number {
  if (Object.is(a, b) || a === b) return 0;
  const error = Math.abs(a - b);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

function sameTop(a: ArrayLike<number>, b: ArrayLike<number>, shape: readonly number[]): Comparison['sameTop'] {
  const width = shape.at(-1) ?? 1;
  if (shape.length < 2 || width < 2 || a.length === 0) return undefined;
  const of = a.length / width;
  let rows = 0;
  for (let row = 0; row < of; row++) if (topOf(a, row * width, width) === topOf(b, row * width, width)) rows++;
  return { rows, of };
}

function topOf(numbers: ArrayLike<number>, start: number, width: number): number {
  let top = 0;
  for (let i = 1; i < width; i++) if (numbers[start + i]! > numbers[start + top]!) top = i;
  return top;
}
