import type { BnfixError } from '../../errors.js';
import { DataType } from '../../graph/dtype.js';
import { byteSize, elementCount, protoTensor, readBytes, type TensorProto } from '../../graph/tensor.js';
import { MemorySource } from '../../io/source.js';
import { tensorflow } from '../../proto/tensorflow.js';
import { LENGTH_DELIMITED, type WireField, WireReader } from '../wire.js';
import type { Piece } from './assemble.js';
import { damaged, decodeMessage } from './damage.js';
import { encodeTensorNameSlice } from './ordered_code.js';
import { type Box, boxShape, type TensorSlice } from './slice.js';
import { lookUp, type Table } from './table.js';

/** A slice in a V1 checkpoint: the TensorProto under its own key. Reading its block checks its bytes. */
export function v1Piece(table: Table, name: string, dtype: DataType, slice: TensorSlice, box: Box): Piece {
  const shape = boxShape(box);
  const file = table.source.name;
  const malformed = (why: string) => damaged(file, `the tensor ${name} in ${file} is malformed`, why);
  const bytes = () => {
    const data = findData(table, name, slice, malformed);
    return rawValues(file, data, dtype, shape) ?? readBytes(typedTensor(file, data, dtype, shape, malformed));
  };
  let kept: Uint8Array | undefined;
  return {
    box,
    *chunks() {
      yield bytes();
    },
    check: () => {},
    readInto: (target, offset) => {
      kept ??= bytes();
      target.set(kept.subarray(offset, offset + target.length));
    },
    strings: () => typedTensor(file, findData(table, name, slice, malformed), dtype, shape, malformed).strings(),
  };
}

/** The bytes of SavedTensorSlices.data.data, the TensorProto of a slice. */
function findData(table: Table, name: string, slice: TensorSlice, malformed: (why: string) => BnfixError): Uint8Array {
  const value = lookUp(table, encodeTensorNameSlice(name, slice));
  const file = table.source.name;
  const data = value && fieldOf(file, fieldOf(file, value, 2), 3);
  if (data) return data;
  throw malformed(value ? 'its entry has no values' : 'it is listed, but not there');
}

/** The last value of a length-delimited field, as protobuf reads it. */
function fieldOf(file: string, message: Uint8Array | undefined, number: number): Uint8Array | undefined {
  const field =
    message && fieldsOf(file, message).findLast((f) => f.number === number && f.wireType === LENGTH_DELIMITED);
  return field && message.subarray(field.offset, field.offset + field.length);
}

function fieldsOf(file: string, message: Uint8Array): WireField[] {
  return [...new WireReader(new MemorySource(message, file)).fields(0, message.length)];
}

/** TensorProto's lists that are on the wire as a tensor is in memory. */
const RAW_LISTS: Partial<Record<DataType, number>> = {
  [DataType.DT_FLOAT]: 5,
  [DataType.DT_DOUBLE]: 6,
  [DataType.DT_COMPLEX64]: 9,
  [DataType.DT_COMPLEX128]: 12,
};

/** The values without decoding them, which for large tensors takes many times their size: undefined where that cannot be. */
function rawValues(file: string, data: Uint8Array, dtype: DataType, shape: readonly number[]): Uint8Array | undefined {
  const list = RAW_LISTS[dtype];
  const fields = list === undefined ? [] : fieldsOf(file, data).filter(({ number }) => number === list);
  const field = fields[0];
  const isRaw = field?.wireType === LENGTH_DELIMITED && fields.length === 1 && field.length === byteSize(dtype, shape);
  return isRaw ? data.subarray(field.offset, field.offset + field.length) : undefined;
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
    throw malformed(`it has ${values} values where its shape needs ${elementCount(shape)}`);
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
