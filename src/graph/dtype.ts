import { tensorflow } from '../proto/tensorflow.js';

/** TensorFlow's DataType enum (tensorflow/core/framework/types.proto). */
export const DataType: typeof tensorflow.DataType = tensorflow.DataType;
export type DataType = tensorflow.DataType;

const BYTES_PER_ELEMENT: Partial<Record<DataType, number>> = {
  [DataType.DT_FLOAT]: 4,
  [DataType.DT_DOUBLE]: 8,
  [DataType.DT_INT32]: 4,
  [DataType.DT_UINT8]: 1,
  [DataType.DT_INT16]: 2,
  [DataType.DT_INT8]: 1,
  [DataType.DT_COMPLEX64]: 8,
  [DataType.DT_INT64]: 8,
  [DataType.DT_BOOL]: 1,
  [DataType.DT_QINT8]: 1,
  [DataType.DT_QUINT8]: 1,
  [DataType.DT_QINT32]: 4,
  [DataType.DT_BFLOAT16]: 2,
  [DataType.DT_QINT16]: 2,
  [DataType.DT_QUINT16]: 2,
  [DataType.DT_UINT16]: 2,
  [DataType.DT_COMPLEX128]: 16,
  [DataType.DT_HALF]: 2,
  [DataType.DT_UINT32]: 4,
  [DataType.DT_UINT64]: 8,
};

/** Size of one element in bytes; undefined for strings, resources and variants, which have no fixed size. */
export function bytesPerElement(dtype: DataType): number | undefined {
  return BYTES_PER_ELEMENT[dtype];
}

/** Number of bytes that are swapped to change endianness: the parts of a complex number are swapped separately. */
export function swapWidth(dtype: DataType): number {
  if (dtype === DataType.DT_COMPLEX64) return 4;
  if (dtype === DataType.DT_COMPLEX128) return 8;
  return bytesPerElement(dtype) ?? 1;
}

/** The highest number of a dtype in TensorFlow 2.19: DT_FLOAT4_E2M1FN. Those that bnfix has no name for are never read. */
const LAST_TYPE = 33;

/** Whether a number is that of a dtype, or of a reference to one; 0 is DT_INVALID, which is none. */
export function isDataType(type: number): boolean {
  const base = type > 100 ? type - 100 : type;
  return base >= 1 && base <= LAST_TYPE;
}

/** The plain type of a reference type (DT_FLOAT_REF -> DT_FLOAT); others are returned unchanged. */
export function baseType(dtype: DataType): DataType {
  return dtype > 100 ? ((dtype - 100) as DataType) : dtype;
}

/** The name in Python: `float32`, `int64`, `bool`. */
export function dtypeName(dtype: DataType): string {
  const name = (DataType[dtype] ?? `DT_${dtype}`).slice(3).toLowerCase();
  if (name === 'float') return 'float32';
  if (name === 'double') return 'float64';
  if (name === 'half') return 'float16';
  return name;
}

const SIGNIFICANT_BITS: Partial<Record<DataType, number>> = {
  [DataType.DT_HALF]: 11,
  [DataType.DT_BFLOAT16]: 8,
  [DataType.DT_FLOAT]: 24,
  [DataType.DT_DOUBLE]: 53,
};

/** The largest relative error of a number that is rounded to a dtype; 0 for dtypes that are not floating point. */
export function unitRoundoff(dtype: DataType): number {
  const bits = SIGNIFICANT_BITS[dtype];
  return bits === undefined ? 0 : 2 ** -bits;
}

/** Whether a dtype is that of weights: floating point; false for undefined. */
export function isFloat(dtype: DataType | undefined): boolean {
  return dtype !== undefined && SIGNIFICANT_BITS[dtype] !== undefined;
}
