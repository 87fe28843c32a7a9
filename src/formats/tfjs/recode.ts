import { ChunkRing } from '../../graph/chunk_ring.js';
import { bytesPerElement, DataType } from '../../graph/dtype.js';
import { DECODERS, ENCODERS } from '../../graph/number_codecs.js';
import { byteSize, type Tensor } from '../../graph/tensor.js';

/** Some elements of a tensor: float32 as they are, others as doubles. */
export type Numbers = Float32Array | Float64Array;

/** Writes the stored form of numbers. @param out - of the size that they need; aligned */
export type Store = (numbers: Numbers, out: Uint8Array) => void;

/**
 * A tensor in another dtype, converted while it is read.
 * @param store - default: each element is rounded once
 */
export function recoded(tensor: Tensor, dtype: DataType, store: Store = encoding(dtype)): Tensor {
  const width = bytesPerElement(dtype)!;
  function* chunks(ring = new ChunkRing()): Generator<Uint8Array> {
    for (const numbers of numberChunks(tensor, ring.source)) {
      const out = ring.next(numbers.length * width);
      store(numbers, out);
      yield out;
    }
  }
  const { shape, strings, origin } = tensor;
  return { dtype, shape, byteLength: byteSize(dtype, shape), chunks, strings, ...(origin !== undefined && { origin }) };
}

function encoding(dtype: DataType): Store {
  const encode = ENCODERS[dtype]!;
  return (numbers, out) => {
    const { buffer, byteOffset, byteLength } = encode(numbers);
    out.set(new Uint8Array(buffer, byteOffset, byteLength));
  };
}

/** The elements of a tensor, a part at a time: a part is valid until the next but one. */
export function* numberChunks(tensor: Tensor, ring?: ChunkRing): Generator<Numbers> {
  const decode = DECODERS[tensor.dtype]!;
  for (const chunk of wholeElements(tensor, ring)) {
    if (tensor.dtype === DataType.DT_FLOAT && chunk.byteOffset % 4 === 0) {
      yield new Float32Array(chunk.buffer, chunk.byteOffset, chunk.length / 4);
    } else yield decode(chunk.slice().buffer);
  }
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
