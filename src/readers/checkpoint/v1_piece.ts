import { BnfixError } from '../../errors.js';
import { ChunkRing } from '../../graph/chunk_ring.js';
import { DataType } from '../../graph/dtype.js';
import { type Box, boxShape, type TensorSlice } from '../../graph/slices.js';
import { byteSize, elementCount, protoTensor, readBytes, type TensorProto } from '../../graph/tensor.js';
import { MemorySource } from '../../io/source.js';
import { tensorflow } from '../../proto/tensorflow.js';
import { LENGTH_DELIMITED, type WireField, WireReader } from '../wire.js';
import type { Piece } from './assemble.js';
import { corrupt, decodeMessage } from './checkpoint_errors.js';
import { encodeTensorNameSlice } from './ordered_code.js';
import { locate, lookUp, type StoredValue, streamBlock, type Table } from './table.js';

/** A slice in a V1 checkpoint: the TensorProto under its own key. Its block has one checksum. */
export function v1Piece(table: Table, name: string, dtype: DataType, slice: TensorSlice, box: Box): Piece {
  const shape = boxShape(box);
  const file = table.source.name;
  const malformed = (why: string) => corrupt(file, `the tensor ${name} in ${file} is malformed`, why);
  const key = encodeTensorNameSlice(name, slice);
  const bytes = () => {
    const data = findData(table, key, malformed);
    const field = rawField(new WireReader(new MemorySource(data, file)), 0, data.length, dtype, shape);
    return field
      ? data.subarray(field.offset, field.offset + field.length)
      : readBytes(typedTensor(file, data, dtype, shape, malformed));
  };
  const raw = byteSize(dtype, shape) < LARGE_BYTES ? undefined : locateRaw(table, key, dtype, shape);
  function* chunks(ring = new ChunkRing()): Generator<Uint8Array> {
    if (raw) yield* streamBlock(table, raw, ring);
    else yield bytes();
  }
  let kept: Uint8Array | undefined;
  return {
    box,
    chunks,
    check: () => {
      if (raw) for (const _ of chunks());
    },
    readInto: (target, offset) => {
      if (raw) table.source.readInto(target, raw.offset + offset);
      else {
        kept ??= bytes();
        target.set(kept.subarray(offset, offset + target.length));
      }
    },
    strings: () => typedTensor(file, findData(table, key, malformed), dtype, shape, malformed).strings(),
  };
}

/** Smaller slices are read as a whole. */
const LARGE_BYTES = 64 * 1024;

/** The location of the values of a large slice in the file, if stored as in memory; undefined if not, or if corrupt. */
function locateRaw(table: Table, key: string, dtype: DataType, shape: readonly number[]): StoredValue | undefined {
  try {
    const value = locate(table, key);
    if (!value) return undefined;
    const reader = new WireReader(table.source);
    let part: { offset: number; length: number } | undefined = { offset: value.offset, length: value.size };
    for (const number of DATA_PATH) part = part && lastField(reader, part.offset, part.offset + part.length, number);
    const raw = part && rawField(reader, part.offset, part.offset + part.length, dtype, shape);
    return raw && { block: value.block, offset: raw.offset, size: raw.length };
  } catch (error) {
    // Errors are reported by the full read.
    if (error instanceof BnfixError) return undefined;
    throw error;
  }
}

/** Field numbers from SavedTensorSlices to the TensorProto of a slice: `data`, then `data`. */
const DATA_PATH = [2, 3];

/** The bytes of the TensorProto of a slice. */
function findData(table: Table, key: string, malformed: (why: string) => BnfixError): Uint8Array {
  const value = lookUp(table, key);
  const file = table.source.name;
  let data = value;
  for (const number of DATA_PATH) {
    const reader: WireReader | undefined = data && new WireReader(new MemorySource(data, file));
    const field = reader && lastField(reader, 0, data!.length, number);
    data = field && data!.subarray(field.offset, field.offset + field.length);
  }
  if (data) return data;
  throw malformed(value ? 'its entry has no values' : 'it is listed, but missing');
}

/** The last value of a length-delimited field, as protobuf reads it. */
function lastField(reader: WireReader, start: number, end: number, number: number): WireField | undefined {
  return [...reader.fields(start, end)].findLast((f) => f.number === number && f.wireType === LENGTH_DELIMITED);
}

/** TensorProto's lists whose encoding equals the tensor in memory. */
const RAW_LISTS: Partial<Record<DataType, number>> = {
  [DataType.DT_FLOAT]: 5,
  [DataType.DT_DOUBLE]: 6,
  [DataType.DT_COMPLEX64]: 9,
  [DataType.DT_COMPLEX128]: 12,
};

/** The values without decoding (which takes many times their size); undefined if that is impossible. */
function rawField(
  reader: WireReader,
  start: number,
  end: number,
  dtype: DataType,
  shape: readonly number[],
): WireField | undefined {
  const list = RAW_LISTS[dtype];
  const fields = list === undefined ? [] : [...reader.fields(start, end)].filter(({ number }) => number === list);
  const [field] = fields;
  const isRaw = field?.wireType === LENGTH_DELIMITED && fields.length === 1 && field.length === byteSize(dtype, shape);
  return isRaw ? field : undefined;
}

/** V1 writes all values, in the list of their type, but neither type nor shape. */
function typedTensor(
  file: string,
  data: Uint8Array,
  dtype: DataType,
  shape: readonly number[],
  malformed: (why: string) => BnfixError,
) {
  const proto = decodeMessage(file, 'a tensor', () => tensorflow.TensorProto.decode(data));
  const values = valueCount(proto, dtype);
  if (values !== elementCount(shape))
    throw malformed(`it has ${values} values, but its shape needs ${elementCount(shape)}`);
  return protoTensor({ ...proto, dtype, tensor_shape: { dim: shape.map((size) => ({ size })) } }, file);
}

function valueCount(proto: TensorProto, dtype: DataType): number {
  switch (dtype) {
    case DataType.DT_FLOAT:
      return proto.float_val?.length ?? 0;
    case DataType.DT_DOUBLE:
      return proto.double_val?.length ?? 0;
    case DataType.DT_COMPLEX64:
      return (proto.scomplex_val?.length ?? 0) / 2;
    case DataType.DT_COMPLEX128:
      return (proto.dcomplex_val?.length ?? 0) / 2;
    case DataType.DT_STRING:
      return proto.string_val?.length ?? 0;
    case DataType.DT_INT64:
      return proto.int64_val?.length ?? 0;
    case DataType.DT_BOOL:
      return proto.bool_val?.length ?? 0;
    case DataType.DT_HALF:
    case DataType.DT_BFLOAT16:
      return proto.half_val?.length ?? 0;
    case DataType.DT_UINT32:
      return proto.uint32_val?.length ?? 0;
    case DataType.DT_UINT64:
      return proto.uint64_val?.length ?? 0;
    default:
      return proto.int_val?.length ?? 0;
  }
}
