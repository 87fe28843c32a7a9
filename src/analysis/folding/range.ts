import { DataType, dtypeName } from '../../graph/dtype.js';
import type { Tensor } from '../../graph/tensor.js';
import type { FoldReason } from './reasons.js';
import { channelAt, type Factor, visitNumbers } from './scaled_tensor.js';

interface Range {
  readonly largest: number;
  readonly smallestNormal: number;
}

const FLOAT: Range = { largest: (2 - 2 ** -23) * 2 ** 127, smallestNormal: 2 ** -126 };

const RANGES: Partial<Record<DataType, Range>> = {
  [DataType.DT_FLOAT]: FLOAT,
  [DataType.DT_BFLOAT16]: { ...FLOAT, largest: (2 - 2 ** -7) * 2 ** 127 },
  [DataType.DT_HALF]: { largest: 65504, smallestNormal: 2 ** -14 },
  [DataType.DT_DOUBLE]: { largest: Number.MAX_VALUE, smallestNormal: 2 ** -1022 },
};

/** Factors within these limits need no check of the weights, if the dtype has the range of float32. */
const HARMLESS = 2 ** 30;

/** Why numbers cannot be constants of a dtype; undefined if they can. */
export function whyNotRepresentable(dtype: DataType, ...lists: readonly Float64Array[]): FoldReason | undefined {
  const { largest } = RANGES[dtype]!;
  for (const values of lists) {
    if (values.some(Number.isNaN)) return { code: 'not_a_number' };
    if (values.some((x) => Math.abs(x) > largest)) return { code: 'out_of_range', dtype: dtypeName(dtype) };
  }
  return undefined;
}

/** Why scaling a kernel would overflow, or lose bits to underflow; reads the kernel only if that is possible. */
export function whyOutOfRange(kernel: Tensor, { values, terms }: Factor): FoldReason | undefined {
  const { largest, smallestNormal } = RANGES[kernel.dtype]!;
  const sizes = values.map(Math.abs);
  const isHarmless = sizes.every((size) => size === 0 || (size < HARMLESS && size > 1 / HARMLESS));
  if (isHarmless && kernel.dtype !== DataType.DT_HALF) return undefined;
  const weights = new Float64Array(values.length);
  visitNumbers(kernel, (value, flat) => {
    const channel = channelAt(terms, flat);
    weights[channel] = Math.max(weights[channel]!, Math.abs(value));
  });
  const dtype = dtypeName(kernel.dtype);
  for (const [channel, weight] of weights.entries()) {
    const scaled = weight * sizes[channel]!;
    if (scaled > largest) return { code: 'weights_out_of_range', dtype, limit: 'largest' };
    if (scaled > 0 && scaled < 4 * smallestNormal) {
      return { code: 'weights_out_of_range', dtype, limit: 'smallest' };
    }
  }
  return undefined;
}
