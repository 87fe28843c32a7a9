import { f16round } from '@petamoriken/float16';
import { DataType } from './dtype.js';
import { DECODERS, ENCODERS } from './number_codecs.js';

/** Rounds a real number to one that a dtype can represent. */
export type Round = (x: number) => number;

/** The smallest normal number of each floating-point type: TensorFlow flushes smaller ones to zero, or not, as the CPU does. */
const SMALLEST_NORMAL: Partial<Record<DataType, number>> = {
  [DataType.DT_FLOAT]: 2 ** -126,
  [DataType.DT_BFLOAT16]: 2 ** -126,
  [DataType.DT_HALF]: 2 ** -14,
  [DataType.DT_DOUBLE]: 2 ** -1022,
};

/** Number of bits of each integer type, negative if it is signed. */
const BITS: Partial<Record<DataType, number>> = {
  [DataType.DT_INT8]: -8,
  [DataType.DT_INT16]: -16,
  [DataType.DT_INT32]: -32,
  [DataType.DT_INT64]: -64,
  [DataType.DT_UINT8]: 8,
  [DataType.DT_UINT16]: 16,
  [DataType.DT_UINT32]: 32,
  [DataType.DT_UINT64]: 64,
};

const FLOAT_ROUNDS: Partial<Record<DataType, Round>> = {
  [DataType.DT_FLOAT]: Math.fround,
  [DataType.DT_BFLOAT16]: (x) => DECODERS[DataType.DT_BFLOAT16]!(ENCODERS[DataType.DT_BFLOAT16]!([x]).buffer)[0]!,
  [DataType.DT_HALF]: f16round,
  [DataType.DT_DOUBLE]: (x) => x,
};

/** Whether a dtype is a type of integers; bool is not. */
export function isInteger(dtype: DataType | undefined): boolean {
  return dtype !== undefined && BITS[dtype] !== undefined;
}

/** Up to here, a quotient of integers is exact after rounding down. */
const LARGEST_INTEGER = 2 ** 52;

/**
 * How results are stored in a dtype: floats rounded to nearest, integers truncated (as in Div) and wrapped. NaN where the result is
 * not known: subnormal numbers, and integers above 2^52. Without a dtype, numbers stay as they are.
 */
export function roundTo(dtype: DataType | undefined): Round {
  const float = dtype === undefined ? undefined : FLOAT_ROUNDS[dtype];
  if (float) {
    const smallest = SMALLEST_NORMAL[dtype!]!;
    // Also before rounding: the CPU may detect underflow before or after it.
    return (x) => (x !== 0 && Math.abs(x) < smallest ? Number.NaN : float(x));
  }
  const bits = dtype === undefined ? undefined : BITS[dtype];
  return bits === undefined ? (x) => x : (x) => wrap(Math.trunc(x), bits);
}

function wrap(x: number, bits: number): number {
  if (!(Math.abs(x) <= LARGEST_INTEGER)) return Number.NaN;
  const [width, isSigned] = [Math.abs(bits), bits < 0];
  if (width === 64) return isSigned || x >= 0 ? x : Number.NaN;
  const range = 2 ** width;
  const rest = ((x % range) + range) % range;
  return isSigned && rest >= range / 2 ? rest - range : rest;
}

/** Rounds a half to the even neighbour, as TensorFlow does. */
export function roundHalfToEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
