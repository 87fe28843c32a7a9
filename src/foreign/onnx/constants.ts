import { BnfixError } from '../../errors.js';
import { DataType } from '../../graph/dtype.js';
import { int64 } from '../../graph/numbers.js';
import { byteSize, elementCount, protoTensor, readNumbers, type Tensor, type TensorProto } from '../../graph/tensor.js';
import type { ByteSource } from '../../io/source.js';
import type { onnx } from '../../proto/tensorflow.js';
import { keepsElements } from './ops.js';
import type { OnnxNode, Value } from './scope.js';

/** A value in a model: a tensor, or why it has none. */
export type Constant =
  | { readonly name: string; readonly tensor: Tensor }
  /** It is too large for what it is asked for, and was not read. */
  | { readonly name: string; readonly unread: true }
  /** It is in a file that does not exist, or is too short. */
  | { readonly name: string; readonly missing: string };

/** The file with values of a model that its tensors name, next to it; undefined if it does not exist. */
export type OpenExternal = (location: string) => ByteSource | undefined;

const EXTERNAL = 1;
/** Values in other files are read up to this size, as for vectors in the model. */
const MAX_EXTERNAL_BYTES = 1 << 20;
/** A hop is from an op that changes only shape or type to its input: files can have cycles. */
const MAX_HOPS = 1000;

/** TensorProto.DataType. */
const DTYPES: ReadonlyMap<number, DataType> = new Map([
  [1, DataType.DT_FLOAT],
  [2, DataType.DT_UINT8],
  [3, DataType.DT_INT8],
  [4, DataType.DT_UINT16],
  [5, DataType.DT_INT16],
  [6, DataType.DT_INT32],
  [7, DataType.DT_INT64],
  [9, DataType.DT_BOOL],
  [10, DataType.DT_HALF],
  [11, DataType.DT_DOUBLE],
  [12, DataType.DT_UINT32],
  [13, DataType.DT_UINT64],
  [16, DataType.DT_BFLOAT16],
]);

/** The initializer or Constant that a value is, apart from its shape and type. @returns undefined if it is computed */
export function sourceOfConstant(
  value: Value,
): { readonly name: string; readonly proto: onnx.TensorProto.$Properties } | undefined {
  let at = value;
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    if (at.initializer) return { name: at.name, proto: at.initializer };
    const { producer } = at;
    if (producer?.domain !== '') return undefined;
    if (producer.op === 'Constant') {
      const proto = constantValue(producer);
      return proto && { name: producer.name, proto };
    }
    const [input] = producer.inputs;
    if (!keepsElements(producer.op) || !input) return undefined;
    at = input;
  }
  return undefined;
}

function constantValue(node: OnnxNode): onnx.TensorProto.$Properties | undefined {
  const tensor = node.attribute('value')?.t;
  if (tensor) return tensor;
  const number = node.attribute('value_float') ?? node.attribute('value_floats');
  if (number) return { data_type: 1, dims: [], float_data: number.floats?.length ? number.floats : [number.f ?? 0] };
  const int = node.attribute('value_int') ?? node.attribute('value_ints');
  return int && { data_type: 7, dims: [], int64_data: int.ints?.length ? int.ints : [int.i ?? 0] };
}

/** The constant that a value is. @returns undefined if it is computed, or no numbers */
export function constantOf(value: Value, open: OpenExternal): Constant | undefined {
  const source = sourceOfConstant(value);
  if (!source) return undefined;
  const { name, proto } = source;
  const dtype = DTYPES.get(proto.data_type ?? 0);
  if (dtype === undefined) return undefined;
  const shape = (proto.dims ?? []).map(int64);
  if (proto.data_location === EXTERNAL) return external(name, proto, dtype, shape, open);
  const values = valuesOf(proto, dtype);
  if (values.count === 0 && elementCount(shape) > 0) return { name, unread: true };
  // Constants of a list attribute have no dims.
  const dims = shape.length === 0 && values.count > 1 ? [values.count] : shape;
  if (values.count !== elementCount(dims)) {
    throw new BnfixError('unreadable', `${name} has ${values.count} elements, but its shape is [${dims}]`, {
      where: name,
      fix: 'the file is corrupt: convert the model again',
    });
  }
  return {
    name,
    tensor: protoTensor(
      { ...values.fields, dtype: dtype as number, tensor_shape: { dim: dims.map((size) => ({ size })) } },
      name,
    ),
  };
}

/** The same numbers in TensorFlow's fields. */
function valuesOf(proto: onnx.TensorProto.$Properties, dtype: DataType): { fields: TensorProto; count: number } {
  const { raw_data: raw, float_data, int32_data, int64_data, double_data, uint64_data } = proto;
  if (raw && raw.length > 0) return { fields: { tensor_content: raw }, count: raw.length / byteSize(dtype, []) };
  const list = float_data?.length
    ? float_data
    : int32_data?.length
      ? int32_data
      : int64_data?.length
        ? int64_data
        : double_data?.length
          ? double_data
          : (uint64_data ?? []);
  const count = list.length;
  switch (dtype) {
    case DataType.DT_FLOAT:
      return { fields: { float_val: float_data ?? [] }, count };
    case DataType.DT_DOUBLE:
      return { fields: { double_val: double_data ?? [] }, count };
    case DataType.DT_INT64:
      return { fields: { int64_val: int64_data ?? [] }, count };
    case DataType.DT_UINT64:
      return { fields: { uint64_val: uint64_data ?? [] }, count };
    case DataType.DT_UINT32:
      return { fields: { uint32_val: (uint64_data ?? []).map(int64) }, count };
    case DataType.DT_HALF:
    case DataType.DT_BFLOAT16:
      return { fields: { half_val: int32_data ?? [] }, count };
    case DataType.DT_BOOL:
      return { fields: { bool_val: (int32_data ?? []).map((each) => each !== 0) }, count };
    default:
      return { fields: { int_val: int32_data ?? [] }, count };
  }
}

function external(
  name: string,
  proto: onnx.TensorProto.$Properties,
  dtype: DataType,
  shape: readonly number[],
  open: OpenExternal,
): Constant {
  const entries = new Map((proto.external_data ?? []).map(({ key, value }) => [key ?? '', value ?? '']));
  const [location = '', offset, length] = [entries.get('location'), entries.get('offset'), entries.get('length')];
  const size = byteSize(dtype, shape);
  if (size > MAX_EXTERNAL_BYTES) return { name, unread: true };
  const source = open(location);
  const start = Number(offset ?? 0);
  const fits = source && Number.isSafeInteger(start) && start >= 0 && start + size <= source.size;
  if (!fits || (length !== undefined && Number(length) !== size)) return { name, missing: location };
  const content = source.read(start, size);
  return {
    name,
    tensor: protoTensor(
      { tensor_content: content, dtype: dtype as number, tensor_shape: { dim: shape.map((each) => ({ size: each })) } },
      name,
    ),
  };
}

/** The only number of a constant; undefined if it is computed, or has several elements. */
export function numberOfConstant(value: Value): number | undefined {
  const constant = constantOf(value, () => undefined);
  if (!constant || !('tensor' in constant) || elementCount(constant.tensor.shape) !== 1) return undefined;
  return readNumbers(constant.tensor)[0];
}
