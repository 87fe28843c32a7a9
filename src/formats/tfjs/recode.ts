import type { ChunkRing } from '../../graph/chunk_ring.js';
import { bytesPerElement, type DataType } from '../../graph/dtype.js';
import { DECODERS, ENCODERS } from '../../graph/number_codecs.js';
import { byteSize, type Tensor } from '../../graph/tensor.js';

/** What an element becomes when it is stored in another dtype; it may throw. */
export type Convert = (value: number) => number;

/**
 * A tensor in another dtype, converted while it is read: each element is rounded once.
 * @param convert - applied to each element before it is encoded
 */
export function recoded(tensor: Tensor, dtype: DataType, convert?: Convert): Tensor {
  const encode = ENCODERS[dtype]!;
  function* chunks(ring?: ChunkRing): Generator<Uint8Array> {
    for (const numbers of numberChunks(tensor, ring)) {
      const view = encode(convert ? numbers.map(convert) : numbers);
      yield new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    }
  }
  const { shape, strings, origin } = tensor;
  return { dtype, shape, byteLength: byteSize(dtype, shape), chunks, strings, ...(origin !== undefined && { origin }) };
}

/** The elements of a tensor, a part at a time. */
export function* numberChunks(tensor: Tensor, ring?: ChunkRing): Generator<Float64Array> {
  const decode = DECODERS[tensor.dtype]!;
  for (const chunk of wholeElements(tensor, ring)) yield decode(chunk.slice().buffer);
}

/** The chunks of a tensor such that no element is in two of them. */
function* wholeElements(tensor: Tensor, ring?: ChunkRing): Generator<Uint8Array> {
  const width = bytesPerElement(tensor.dtype)!;
  let rest = new Uint8Array(0);
  for (const chunk of tensor.chunks(ring)) {
    const all = rest.length === 0 ? chunk : joined(rest, chunk);
    const end = all.length - (all.length % width);
    if (end > 0) yield all.subarray(0, end);
    rest = all.slice(end);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
