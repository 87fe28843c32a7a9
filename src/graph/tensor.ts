import Long from 'long';
import { BnfixError } from '../errors.js';
import type { tensorflow } from '../proto/tensorflow.js';
import { CHUNK_BYTES, type ChunkRing } from './chunk_ring.js';
import { corruptGraph } from './corrupt_graph.js';
import { bytesPerElement, DataType, dtypeName, isDataType } from './dtype.js';
import { DECODERS, ENCODERS } from './number_codecs.js';
import { int64 } from './numbers.js';

/** A TensorProto or its plain-object form. */
export type TensorProto = tensorflow.TensorProto.$Properties;

/**
 * A handle on a tensor's value, with its dtype and shape; the bytes are read on demand.
 *
 * `chunks()` yields the raw little-endian bytes in order, row-major, a few MiB at a time, and throws when their checksum
 * (if the file has one) is wrong, at the latest after the last chunk. A chunk is valid until the next but one is requested,
 * so that one can be written while the next is read. String tensors have no raw form: use `strings()`
 * instead.
 */
export interface Tensor {
  readonly dtype: DataType;
  /** Sizes of the dimensions, outermost first; all are known. */
  readonly shape: readonly number[];
  /** Size of the raw form in bytes; 0 for strings. */
  readonly byteLength: number;
  /**
   * The raw form in order: elements row-major, little-endian. A chunk is valid until the next but one.
   * @param ring - buffers for the chunks: pass the same ring to read many tensors in sequence
   * @throws BnfixError `unreadable` when the file is truncated, or a checksum is wrong
   */
  chunks(ring?: ChunkRing): Iterable<Uint8Array>;
  /** The elements of a string tensor, row-major. @throws BnfixError `internal` for numbers */
  strings(): Uint8Array[];
  /** The elements that a file has of it, where the shape needs more: the last one is repeated. */
  readonly stored?: Tensor | undefined;
  /** The TensorProto that it was read from, if any: it is written back unchanged. */
  readonly proto?: TensorProto;
  /** Its origin, for messages. */
  readonly origin?: string;
}

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Size of a tensor in bytes; 0 for strings. */
export function byteSize(dtype: DataType, shape: readonly number[]): number {
  return elementCount(shape) * (bytesPerElement(dtype) ?? 0);
}

/** A tensor with its raw little-endian bytes in memory. */
export function rawTensor(dtype: DataType, shape: readonly number[], bytes: Uint8Array): Tensor {
  if (bytes.length !== byteSize(dtype, shape)) {
    throw new BnfixError(
      'internal',
      `a ${dtypeName(dtype)} tensor of shape [${shape}] was given ${bytes.length} bytes`,
    );
  }
  return { dtype, shape, byteLength: bytes.length, chunks: () => [bytes], strings: noStrings };
}

/** A tensor of strings (bytes, in TensorFlow's sense), row-major. */
export function stringTensor(shape: readonly number[], values: Uint8Array[]): Tensor {
  return { dtype: DataType.DT_STRING, shape, byteLength: 0, chunks: () => [], strings: () => values };
}

/** A tensor of the given numbers, rounded once to the dtype. */
export function numberTensor(dtype: DataType, shape: readonly number[], values: ArrayLike<number>): Tensor {
  const encode = ENCODERS[dtype];
  if (encode === undefined) {
    throw new BnfixError('unsupported', `a ${dtypeName(dtype)} tensor cannot be made out of numbers`);
  }
  const { buffer, byteOffset, byteLength } = encode(values);
  return rawTensor(dtype, shape, new Uint8Array(buffer, byteOffset, byteLength));
}

/** More bytes than this are not read at once where they repeat a value: a shape may claim them without a byte in the file. */
const MAX_REPEATED_BYTES = 2 ** 28;

/**
 * The whole raw form in one buffer: for small tensors only.
 * @throws BnfixError `unsupported` for a value that is repeated to more than 256 MiB
 */
export function readBytes(tensor: Tensor): Uint8Array {
  const stored = tensor.byteLength > MAX_REPEATED_BYTES ? tensor.stored : undefined;
  if (stored) {
    throw new BnfixError('unsupported', `a constant of ${tensor.byteLength} bytes is too large`, {
      where: tensor.origin,
      why: `the file has ${stored.byteLength} bytes of it; its shape [${tensor.shape}] repeats the last value`,
    });
  }
  const out = new Uint8Array(tensor.byteLength);
  let at = 0;
  for (const chunk of tensor.chunks()) {
    out.set(chunk, at);
    at += chunk.length;
  }
  if (at !== out.length) {
    throw new BnfixError('internal', `a tensor of ${out.length} bytes gave ${at}`, { where: tensor.origin });
  }
  return out;
}

/** All elements as numbers, row-major. int64 beyond 2^53 loses its last bits; bool is 0 and 1. */
export function readNumbers(tensor: Tensor): Float64Array {
  const decode = DECODERS[tensor.dtype];
  if (decode === undefined) {
    throw new BnfixError('unsupported', `a ${dtypeName(tensor.dtype)} tensor has no numbers`, { where: tensor.origin });
  }
  // A new buffer, so the bytes start at its beginning.
  return decode(readBytes(tensor).buffer);
}

/** The numbers that occur in a tensor, in order: the same as its elements, without those that only repeat the last one. */
export function readDistinct(tensor: Tensor): Float64Array {
  return readNumbers(tensor.stored ?? tensor);
}

/** A tensor with one number everywhere, in the memory of one. */
export function filledTensor(dtype: DataType, shape: readonly number[], value: number): Tensor {
  const stored = numberTensor(dtype, [1], [value]);
  const byteLength = byteSize(dtype, shape);
  const chunks = (ring?: ChunkRing) => repeated(readBytes(stored), stored.byteLength, byteLength, ring);
  return { dtype, shape, byteLength, chunks, strings: noStrings, stored };
}

function noStrings(): Uint8Array[] {
  throw new BnfixError('internal', 'a numeric tensor has no strings');
}

/** The shape of a TensorShapeProto; -1 for an unknown size; undefined for an unknown rank. */
export function shapeOf(shape: tensorflow.TensorShapeProto.$Properties | null | undefined): number[] | undefined {
  if (!shape || shape.unknown_rank) return undefined;
  return (shape.dim ?? []).map((dim) => int64(dim.size));
}

/** The TensorShapeProto of a shape; undefined means an unknown rank. */
export function shapeProto(shape: readonly number[] | undefined): tensorflow.TensorShapeProto.$Properties {
  if (shape === undefined) return { unknown_rank: true };
  return { dim: shape.map((size) => ({ size })) };
}

/** A handle on a TensorProto: its tensor_content, or its typed values with the last one repeated. */
export function protoTensor(proto: TensorProto, origin?: string): Tensor {
  const dtype = (proto.dtype ?? DataType.DT_INVALID) as DataType;
  const shape = shapeOf(proto.tensor_shape ?? {});
  const count = shape && elementCount(shape);
  if (!shape?.every((size) => size >= 0) || shape.length > MAX_RANK || !(count! <= MAX_COUNT)) {
    throw corruptGraph(origin, `a constant has the shape [${shape?.join(', ') ?? 'unknown'}]`);
  }
  if (!isDataType(dtype)) throw corruptGraph(origin, `a constant has the unknown dtype ${dtype}`);
  const where = origin === undefined ? {} : { origin };
  if (dtype === DataType.DT_STRING) {
    const strings = () => repeatedStrings(proto.string_val ?? [], count!, origin);
    return { dtype, shape, byteLength: 0, chunks: () => [], strings, proto, ...where };
  }
  const byteLength = byteSize(dtype, shape);
  return {
    dtype,
    shape,
    byteLength,
    chunks: (ring) => expand(proto, dtype, count!, origin, ring),
    strings: noStrings,
    get stored() {
      return storedTensor(proto, dtype, count!, origin);
    },
    proto,
    ...where,
  };
}

/** TensorFlow has no tensors of higher rank (TensorShape::MaxDimensions). */
export const MAX_RANK = 254;

/** More elements than any file holds, and few enough that their size in bytes is an exact number. */
const MAX_COUNT = 2 ** 48;

/** A list of strings may be this much longer than what the file has of it; the last string is repeated. */
const MAX_REPEATED = 65_536;

function repeatedStrings(values: readonly Uint8Array[], count: number, origin: string | undefined): Uint8Array[] {
  if (count > values.length + MAX_REPEATED) {
    throw corruptGraph(origin, `a constant has ${values.length} of ${count} strings`);
  }
  return Array.from({ length: count }, (_, i) => values[Math.min(i, values.length - 1)] ?? new Uint8Array());
}

/** The raw form, a chunk at a time: a shape may need much more than the values that the file has. */
function* expand(
  proto: TensorProto,
  dtype: DataType,
  count: number,
  origin: string | undefined,
  ring: ChunkRing | undefined,
): Generator<Uint8Array> {
  const width = bytesPerElement(dtype);
  if (width === undefined) {
    throw new BnfixError('unsupported', `a ${dtypeName(dtype)} constant has no raw bytes`, { where: origin });
  }
  const content = proto.tensor_content;
  if (content && content.length > 0) {
    if (content.length !== count * width) {
      const why = `a constant has ${content.length} bytes, but its shape needs ${count * width}`;
      throw corruptGraph(origin, why);
    }
    yield content;
    return;
  }
  yield* repeated(storedValues(proto, dtype, width), width, count * width, ring);
}

/** Elements and then the last one again, up to a number of bytes; 0 if there are none. @param width - of an element, in bytes */
function* repeated(
  elements: Uint8Array,
  width: number,
  total: number,
  ring: ChunkRing | undefined,
): Generator<Uint8Array> {
  if (elements.length >= total) {
    yield elements.subarray(0, total);
    return;
  }
  const last = elements.length === 0 ? new Uint8Array(width) : elements.subarray(-width);
  yield elements;
  for (let left = total - elements.length; left > 0; ) {
    const length = Math.min(CHUNK_BYTES, left);
    const chunk = ring?.next(length) ?? new Uint8Array(length);
    for (let at = 0; at < length; at += width) chunk.set(last, at);
    yield chunk;
    left -= length;
  }
}

/** The elements that a proto has; undefined if its shape needs no more than these. */
function storedTensor(
  proto: TensorProto,
  dtype: DataType,
  count: number,
  origin: string | undefined,
): Tensor | undefined {
  const width = bytesPerElement(dtype);
  if (width === undefined || (proto.tensor_content?.length ?? 0) > 0) return undefined;
  const bytes = storedValues(proto, dtype, width);
  if (bytes.length >= count * width) return undefined;
  const elements = bytes.length === 0 ? new Uint8Array(width) : bytes;
  const stored = rawTensor(dtype, [elements.length / width], elements);
  return origin === undefined ? stored : { ...stored, origin };
}

/** The typed values that a proto holds, as raw bytes. */
function storedValues(proto: TensorProto, dtype: DataType, width: number): Uint8Array {
  switch (dtype) {
    case DataType.DT_HALF:
    case DataType.DT_BFLOAT16:
      // Bit patterns, not values.
      return written(proto.half_val ?? [], width, (view, at, bits) => view.setUint16(at, bits, true));
    case DataType.DT_COMPLEX64:
      return wholePairs(
        written(proto.scomplex_val ?? [], 4, (view, at, part) => view.setFloat32(at, part, true)),
        width,
      );
    case DataType.DT_COMPLEX128:
      return wholePairs(
        written(proto.dcomplex_val ?? [], 8, (view, at, part) => view.setFloat64(at, part, true)),
        width,
      );
    case DataType.DT_INT64:
      return written(proto.int64_val ?? [], width, setLong);
    case DataType.DT_UINT64:
      return written(proto.uint64_val ?? [], width, setLong);
    default: {
      const encode = ENCODERS[dtype] ?? ENCODERS[UNQUANTISED[dtype] ?? DataType.DT_INVALID];
      if (!encode) throw new BnfixError('unsupported', `a ${dtypeName(dtype)} constant cannot be read`);
      const { buffer, byteOffset, byteLength } = encode(Array.from(typedValues(proto, dtype), Number));
      return new Uint8Array(buffer, byteOffset, byteLength);
    }
  }
}

/** A list of values as raw bytes. @param width - of each, in bytes */
function written<T>(
  list: readonly T[],
  width: number,
  set: (view: DataView, at: number, value: T) => void,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(list.length * width));
  for (const [i, value] of list.entries()) set(view, i * width, value);
  return new Uint8Array(view.buffer);
}

/** Without half of a complex number at the end. */
function wholePairs(bytes: Uint8Array, width: number): Uint8Array {
  return bytes.subarray(0, bytes.length - (bytes.length % width));
}

function setLong(view: DataView, at: number, stored: number | Long): void {
  const value = Long.fromValue(stored);
  view.setInt32(at, value.low, true);
  view.setInt32(at + 4, value.high, true);
}

const UNQUANTISED: Partial<Record<DataType, DataType>> = {
  [DataType.DT_QINT8]: DataType.DT_INT8,
  [DataType.DT_QUINT8]: DataType.DT_UINT8,
  [DataType.DT_QINT16]: DataType.DT_INT16,
  [DataType.DT_QUINT16]: DataType.DT_UINT16,
  [DataType.DT_QINT32]: DataType.DT_INT32,
};

function typedValues(proto: TensorProto, dtype: DataType): ArrayLike<number | boolean> {
  switch (dtype) {
    case DataType.DT_FLOAT:
      return proto.float_val ?? [];
    case DataType.DT_DOUBLE:
      return proto.double_val ?? [];
    case DataType.DT_BOOL:
      return proto.bool_val ?? [];
    case DataType.DT_UINT32:
      return proto.uint32_val ?? [];
    default:
      return proto.int_val ?? [];
  }
}
