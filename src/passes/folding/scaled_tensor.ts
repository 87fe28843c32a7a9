import { ChunkRing } from '../../graph/chunk_ring.js';
import { bytesPerElement, DataType } from '../../graph/dtype.js';
import { numberTensor, rawTensor, readBytes, readNumbers, type Tensor } from '../../graph/tensor.js';

/** One term of a channel number: `times * (floor(flat / stride) % size)` for the element at the flat index. */
export interface ChannelTerm {
  readonly stride: number;
  readonly size: number;
  readonly times: number;
}

/** A factor for each channel, and the channel of each element as a sum of terms. */
export interface Factor {
  readonly values: Float64Array;
  readonly terms: readonly ChannelTerm[];
}

/** A tensor whose elements are those of another one times one factor or several. */
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
 * A handle on `tensor` times a factor per channel. The numbers are multiplied in float64 while they are read, chunk by
 * chunk, and rounded once, however many factors there are.
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

/** Calls `visit` with each element as a real number (not rounded where it is scaled), in order. */
export function visitNumbers(tensor: Tensor, visit: (value: number, flat: number) => void): void {
  const [base, factors] = isScaled(tensor) ? [tensor.base, tensor.factors] : [tensor, []];
  let flat = 0;
  for (const chunk of wholeElements(base)) {
    for (const value of numbersIn(base.dtype, chunk)) visit(value * product(factors, flat), flat++);
  }
}

function product(factors: readonly Factor[], flat: number): number {
  let result = 1;
  for (const { values, terms } of factors) result *= values[channelAt(terms, flat)]!;
  return result;
}

function* multiplied(base: Tensor, factors: readonly Factor[], ring = new ChunkRing()): Generator<Uint8Array> {
  const { dtype } = base;
  const [only] = factors;
  let flat = 0;
  for (const chunk of wholeElements(base)) {
    const numbers = dtype === DataType.DT_FLOAT ? floatsIn(chunk, ring) : numbersIn(dtype, chunk);
    if (factors.length === 1 && only!.terms.length === 1) scaleInOrder(numbers, only!, flat);
    else for (let i = 0; i < numbers.length; i++) numbers[i]! *= product(factors, flat + i);
    flat += numbers.length;
    if (numbers instanceof Float32Array) yield new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    else yield readBytes(numberTensor(dtype, [numbers.length], numbers));
  }
}

/** The usual case without a division for each element. */
function scaleInOrder(numbers: Float64Array | Float32Array, { values, terms }: Factor, start: number): void {
  const { stride, size, times } = terms[0]!;
  let inner = start % stride;
  let channel = Math.floor(start / stride) % size;
  for (let i = 0; i < numbers.length; i++) {
    numbers[i]! *= values[channel * times]!;
    if (++inner < stride) continue;
    inner = 0;
    if (++channel === size) channel = 0;
  }
}

/** A copy, as chunks may lie at odd offsets, and may be what others read. A product is rounded once, when it is put back. */
function floatsIn(bytes: Uint8Array, ring: ChunkRing): Float32Array {
  const copy = ring.next(bytes.length);
  copy.set(bytes);
  return new Float32Array(copy.buffer, copy.byteOffset, copy.length / 4);
}

function numbersIn(dtype: DataType, bytes: Uint8Array): Float64Array {
  return readNumbers(rawTensor(dtype, [bytes.length / bytesPerElement(dtype)!], bytes));
}

/** The chunks of a tensor, cut so that each holds whole elements. */
function* wholeElements(tensor: Tensor): Generator<Uint8Array> {
  const width = bytesPerElement(tensor.dtype)!;
  let rest: Uint8Array = new Uint8Array();
  for (const chunk of tensor.chunks()) {
    const bytes = rest.length > 0 ? joined(rest, chunk) : chunk;
    const whole = bytes.length - (bytes.length % width);
    // A copy: a chunk is valid until the next one is asked for.
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
