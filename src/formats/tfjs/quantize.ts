import { ChunkRing } from '../../graph/chunk_ring.js';
import { DataType } from '../../graph/dtype.js';
import { roundHalfToEven } from '../../graph/rounding.js';
import { elementCount, type Tensor } from '../../graph/tensor.js';
import type { Quantization } from '../destination.js';
import { type Numbers, numberChunks, recoded } from './recode.js';
import { storeHalves } from './to_half.js';

/** How a weight is stored in fewer bits, as a manifest says it. */
export interface QuantizationInfo {
  readonly dtype: Quantization;
  /** A stored number times `scale` plus `min` is the value. Absent for float16. */
  readonly min?: number;
  readonly scale?: number;
  readonly original_dtype: 'float32';
}

/** A weight in fewer bits. */
export interface QuantizedWeight {
  readonly stored: Tensor;
  readonly info: QuantizationInfo;
}

const INTEGERS = {
  uint8: { dtype: DataType.DT_UINT8, max: 2 ** 8 - 1 },
  uint16: { dtype: DataType.DT_UINT16, max: 2 ** 16 - 1 },
} as const;

/** The largest number that float16 has; from 65520 on, it becomes infinite. */
const LARGEST_HALF = 65519.99;
/** Half of the smallest number above 0 that float16 has: it becomes 0. */
const HALF_OF_SMALLEST = 2 ** -25;

/**
 * Stores a weight in fewer bits, as tensorflowjs_converter does. The weight is read to find its range.
 *
 * @param tensor - floating point
 * @returns undefined for a weight that has to stay as it is: one that is not finite; for float16 one with values beyond its range, or
 *   whose values would all become 0, such as a small epsilon; for integers one of fewer than two dimensions, since biases and
 *   statistics take next to no space but bear no rounding
 */
export function quantized(tensor: Tensor, quantization: Quantization): QuantizedWeight | undefined {
  if (elementCount(tensor.shape) === 0) return undefined;
  if (quantization !== 'float16' && tensor.shape.length < 2) return undefined;
  const range = rangeOf(tensor);
  if (!Number.isFinite(range.min) || !Number.isFinite(range.max)) return undefined;
  return quantization === 'float16' ? toHalf(tensor, range) : toIntegers(tensor, range, quantization);
}

function toHalf(tensor: Tensor, { min, max }: Range): QuantizedWeight | undefined {
  const largest = Math.max(-min, max);
  if (largest > LARGEST_HALF || (largest > 0 && largest <= HALF_OF_SMALLEST)) return undefined;
  return {
    stored: recoded(tensor, DataType.DT_HALF, storeHalves),
    info: { dtype: 'float16', original_dtype: 'float32' },
  };
}

function toIntegers(tensor: Tensor, range: Range, name: keyof typeof INTEGERS): QuantizedWeight {
  const { dtype, max } = INTEGERS[name];
  const { scale, min } = affine(range, max);
  const store = (numbers: Numbers, out: Uint8Array) => {
    const levels = dtype === DataType.DT_UINT8 ? out : new Uint16Array(out.buffer, out.byteOffset, numbers.length);
    for (let i = 0; i < numbers.length; i++) {
      const level = roundHalfToEven((Math.fround(numbers[i]!) - min) / scale);
      levels[i] = Math.min(max, Math.max(0, level));
    }
  };
  const stored = recoded(tensor, dtype, store);
  return { stored, info: { dtype: name, min, scale, original_dtype: 'float32' } };
}

/**
 * Scale and offset of a range, moved so that 0 is exact if the range contains it: images are padded with it. As in
 * NudgeQuantizationRange of tensorflow/lite/kernels/internal/quantization_util.h.
 */
function affine({ min, max }: Range, levels: number): { min: number; scale: number } {
  if (min === max) return { min, scale: 1 };
  const scale = (max - min) / levels;
  if (min > 0 || max < 0) return { min, scale };
  // Not -0.
  return { min: 0 - roundHalfToEven(-min / scale) * scale, scale };
}

/** The smallest and the largest value; NaN if there is one. */
interface Range {
  readonly min: number;
  readonly max: number;
}

function rangeOf(tensor: Tensor): Range {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const numbers of numberChunks(tensor, new ChunkRing())) {
    for (let i = 0; i < numbers.length; i++) {
      const value = Math.fround(numbers[i]!);
      if (value < min) min = value;
      if (value > max) max = value;
      if (Number.isNaN(value)) return { min: value, max: value };
    }
  }
  return { min, max };
}
