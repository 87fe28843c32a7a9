import type { ChunkRing } from '../../graph/chunk_ring.js';
import type { DataType } from '../../graph/dtype.js';
import { byteSize, elementCount, numberTensor, readBytes, type Tensor } from '../../graph/tensor.js';

/** Real numbers, as they are stored or more exact. */
export type Numbers = Float64Array | Float32Array;

/** Consecutive elements of a tensor: `start` is the flat index of the first. Valid until the next batch is requested. */
export interface Run {
  readonly numbers: Numbers;
  readonly start: number;
}

/** A tensor whose elements are computed from those of others. */
export interface NumberedTensor extends Tensor {
  /** Its elements in order, before they are rounded to its dtype. */
  runs(ring?: ChunkRing): Iterable<Run>;
}

/** Whether the elements of a tensor are computed. */
export function isNumbered(tensor: Tensor): tensor is NumberedTensor {
  return 'runs' in tensor;
}

/** A tensor of these elements, rounded once when its bytes are read. */
export function numberedTensor(
  dtype: DataType,
  shape: readonly number[],
  runs: (ring?: ChunkRing) => Iterable<Run>,
  origin: string | undefined,
): NumberedTensor {
  return {
    dtype,
    shape,
    byteLength: byteSize(dtype, shape),
    runs,
    *chunks(ring) {
      for (const { numbers } of runs(ring?.source)) yield readBytes(numberTensor(dtype, [numbers.length], numbers));
    },
    strings: () => [],
    ...(origin !== undefined && { origin }),
  };
}

/** Number of elements that are moved at once. */
const RUN = 65_536;

/** Which elements of a tensor another one consists of: those at `offset` plus the sum of index times stride. */
export interface Selection {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The elements that a selection takes from others, in order. Holds all of these in memory. */
export function* selected(from: Iterable<Run>, count: number, { offset, shape, strides }: Selection): Generator<Run> {
  const all = collected(from, count);
  const total = elementCount(shape);
  const index = shape.map(() => 0);
  let at = offset;
  for (let start = 0; start < total; start += RUN) {
    const numbers = new Float64Array(Math.min(RUN, total - start));
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = all[at]!;
      // Like an odometer: the last dimension first.
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        at += strides[axis]!;
        if (++index[axis]! < shape[axis]!) break;
        at -= strides[axis]! * shape[axis]!;
        index[axis] = 0;
      }
    }
    yield { numbers, start };
  }
}

/** All elements of some tensors, joined along a dimension: `inner` consecutive elements of each, in turns. */
export function* joined(
  parts: readonly { readonly runs: Iterable<Run>; readonly count: number; readonly inner: number }[],
): Generator<Run> {
  const all = parts.map(({ runs, count }) => collected(runs, count));
  const { count, inner } = parts[0]!;
  let start = 0;
  for (let turn = 0; turn < count / inner; turn++) {
    for (const [i, part] of parts.entries()) {
      const numbers = all[i]!.subarray(turn * part.inner, (turn + 1) * part.inner);
      yield { numbers, start };
      start += numbers.length;
    }
  }
}

function collected(runs: Iterable<Run>, count: number): Float64Array {
  const all = new Float64Array(count);
  for (const { numbers, start } of runs) all.set(numbers, start);
  return all;
}
