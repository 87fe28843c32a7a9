import { ChunkRing } from '../../graph/chunk_ring.js';
import { bytesPerElement, DataType } from '../../graph/dtype.js';
import { numberTensor, rawTensor, readBytes, readNumbers, type Tensor } from '../../graph/tensor.js';
import { isNumbered, type Numbers, type Run } from './numbered_tensor.js';

/** One term of a channel number: `times * (floor(flat / stride) % size)` for the element at the flat index. */
export interface ChannelTerm {
  readonly stride: number;
  readonly size: number;
  readonly times: number;
}

/** A factor per channel, and the channel of each element as a sum of terms. */
export interface Factor {
  readonly values: Float64Array;
  readonly terms: readonly ChannelTerm[];
}

/** A tensor whose elements are those of another one, times one or more factors. */
interface ScaledTensor extends Tensor {
  readonly base: Tensor;
  readonly factors: readonly Factor[];
}

function isScaled(tensor: Tensor): tensor is ScaledTensor {
  return 'base' in tensor && 'factors' in tensor;
}

/** The channel of the element at a flat index. */
export function channelAt(terms: readonly ChannelTerm[], flat: number): number {
  let channel = 0;
  for (const { stride, size, times } of terms) channel += times * (Math.floor(flat / stride) % size);
  return channel;
}

/**
 * A handle on `tensor` times a factor per channel. Numbers are multiplied in float64 while they are read, chunk by
 * chunk, and rounded once, whatever the number of factors.
 */
export function scaledTensor(tensor: Tensor, factor: Factor): Tensor {
  const [base, factors] = isScaled(tensor) ? [tensor.base, [...tensor.factors, factor]] : [tensor, [factor]];
  const { dtype, byteLength, strings } = base;
  const scaled: ScaledTensor = {
    dtype,
    shape: tensor.shape,
    byteLength,
    strings,
    base,
    factors,
    chunks: (ring) => multiplied(base, factors, ring),
    ...(base.origin !== undefined && { origin: base.origin }),
  };
  return scaled;
}

/** Calls `visit` with each element as a real number (unrounded if scaled), in order. */
export function visitNumbers(tensor: Tensor, visit: (value: number, flat: number) => void): void {
  for (const { numbers, start } of numbersOf(tensor)) {
    for (let i = 0; i < numbers.length; i++) visit(numbers[i]!, start + i);
  }
}

/** The elements of a tensor in order, as real numbers: unrounded if scaled. */
export function* numbersOf(tensor: Tensor): Generator<Run> {
  if (!isScaled(tensor)) yield* storedNumbers(tensor);
  else {
    for (const run of storedNumbers(tensor.base)) {
      const scaled = new Float64Array(run.numbers.length);
      scale(run, scaled, tensor.factors);
      yield { numbers: scaled, start: run.start };
    }
  }
}

function* storedNumbers(tensor: Tensor, ring?: ChunkRing): Generator<Run> {
  if (isNumbered(tensor)) {
    yield* tensor.runs(ring);
    return;
  }
  const { dtype } = tensor;
  const width = bytesPerElement(dtype)!;
  let start = 0;
  for (const bytes of wholeElements(tensor, width, ring)) {
    const count = bytes.length / width;
    const isInPlace = dtype === DataType.DT_FLOAT && bytes.byteOffset % width === 0;
    const numbers = isInPlace
      ? new Float32Array(bytes.buffer, bytes.byteOffset, count)
      : readNumbers(rawTensor(dtype, [count], bytes));
    yield { numbers, start };
    start += count;
  }
}

/** The bytes of a tensor times its factors, each number rounded once. */
function* multiplied(base: Tensor, factors: readonly Factor[], ring = new ChunkRing()): Generator<Uint8Array> {
  const { dtype } = base;
  for (const run of storedNumbers(base, ring.source)) {
    const count = run.numbers.length;
    if (dtype === DataType.DT_FLOAT) {
      const bytes = ring.next(4 * count);
      scale(run, new Float32Array(bytes.buffer, bytes.byteOffset, count), factors);
      yield bytes;
    } else {
      const scaled = new Float64Array(count);
      scale(run, scaled, factors);
      yield readBytes(numberTensor(dtype, [count], scaled));
    }
  }
}

/** Multiplies numbers by their factors, in float64. */
function scale({ numbers, start }: Run, to: Numbers, factors: readonly Factor[]): void {
  const [only, ...others] = factors;
  if (only && others.length === 0) {
    multiply(numbers, to, only, start);
    return;
  }
  const products = new Float64Array(numbers.length).fill(1);
  for (const factor of factors) multiply(products, products, factor, start);
  for (let i = 0; i < numbers.length; i++) to[i] = numbers[i]! * products[i]!;
}

function multiply(from: Numbers, to: Numbers, { values, terms }: Factor, start: number): void {
  const [term, ...others] = terms;
  const end = from.length;
  if (!term || others.length > 0) {
    for (let i = 0; i < end; i++) to[i] = from[i]! * values[channelAt(terms, start + i)]!;
    return;
  }
  // The usual case, without a division per element: runs of `stride` elements of a channel, channel by channel.
  const { stride, size, times } = term;
  const factors = times === 1 ? values : values.filter((_, i) => i % times === 0);
  let channel = Math.floor(start / stride) % size;
  if (stride === 1) {
    for (let i = 0; i < end; channel = 0)
      i = multiplyRow(from, to, i, factors, channel, Math.min(size - channel, end - i));
    return;
  }
  let left = stride - (start % stride);
  for (let i = 0; i < end; left = stride) {
    const value = factors[channel]!;
    for (const last = Math.min(i + left, end); i < last; i++) to[i] = from[i]! * value;
    channel = (channel + 1) % size;
  }
}

/**
 * Multiplies `count` numbers from index `i` on by as many factors. Unrolled by eight, which halves the time of this
 * loop, the hot spot of folding.
 * @returns the index after the last
 */
function multiplyRow(
  from: Numbers,
  to: Numbers,
  i: number,
  factors: Float64Array,
  channel: number,
  count: number,
): number {
  const end = i + count;
  for (; i + 8 <= end; i += 8, channel += 8) {
    to[i] = from[i]! * factors[channel]!;
    to[i + 1] = from[i + 1]! * factors[channel + 1]!;
    to[i + 2] = from[i + 2]! * factors[channel + 2]!;
    to[i + 3] = from[i + 3]! * factors[channel + 3]!;
    to[i + 4] = from[i + 4]! * factors[channel + 4]!;
    to[i + 5] = from[i + 5]! * factors[channel + 5]!;
    to[i + 6] = from[i + 6]! * factors[channel + 6]!;
    to[i + 7] = from[i + 7]! * factors[channel + 7]!;
  }
  for (; i < end; i++, channel++) to[i] = from[i]! * factors[channel]!;
  return i;
}

/** The chunks of a tensor, cut so that each holds whole elements. */
function* wholeElements(tensor: Tensor, width: number, ring?: ChunkRing): Generator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for (const chunk of tensor.chunks(ring)) {
    const bytes = rest.length > 0 ? joined(rest, chunk) : chunk;
    const whole = bytes.length - (bytes.length % width);
    // A copy: a chunk is valid until the next one is requested.
    rest = new Uint8Array(bytes.subarray(whole));
    if (whole > 0) yield bytes.subarray(0, whole);
  }
  if (rest.length > 0) yield rest;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
