import { BnfixError } from '../errors.js';
import { bytesPerElement, DataType, dtypeName } from '../graph/dtype.js';
import { elementCount, numberTensor, rawTensor, readBytes, readNumbers } from '../graph/tensor.js';

/** A tensor that goes into a graph or comes out of it. */
export interface TensorValue {
  /** `float32`, `float64`, `float16`, `bfloat16`, `int8` to `int64`, `uint8` to `uint64`, `bool`, `complex64`, `string`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /**
   * Elements in row-major order: raw little-endian, bool as one byte, complex as real and imaginary part. Strings one
   * after the other, each behind its length as a uint32.
   */
  readonly data: Uint8Array;
}

const BY_NAME: ReadonlyMap<string, DataType> = new Map(
  Object.values(DataType)
    .filter((value): value is DataType => typeof value === 'number' && value > 0 && value < 100)
    .map((dtype) => [dtypeName(dtype), dtype]),
);

/**
 * The DataType of a name as {@link dtypeName} writes it.
 * @throws BnfixError `usage` when there is none
 */
function dtypeOf(name: string): DataType {
  const dtype = BY_NAME.get(name);
  if (dtype !== undefined) return dtype;
  throw new BnfixError('usage', `there is no dtype ${name}`, { fix: 'float32, int32, int64, bool, string, ...' });
}

/**
 * A value of the given numbers in row-major order, rounded once to the dtype; for bool, 0 and 1.
 * @throws BnfixError `usage` when they do not fill the shape, or the dtype is not one of numbers
 */
export function valueOfNumbers(dtype: string, shape: readonly number[], numbers: ArrayLike<number>): TensorValue {
  if (/^(string|complex\d+|resource|variant)$/.test(dtype)) {
    throw new BnfixError('usage', `a ${dtype} tensor is not made of numbers`);
  }
  if (numbers.length !== elementCount(shape)) {
    throw new BnfixError('usage', `${numbers.length} numbers do not fill the shape [${shape}]`);
  }
  return { dtype, shape, data: readBytes(numberTensor(dtypeOf(dtype), shape, numbers)) };
}

/**
 * All elements as numbers in row-major order. int64 beyond 2^53 loses its last bits; bool is 0 and 1.
 * @throws BnfixError `unsupported` for strings and complex numbers, `usage` when data and shape do not agree
 */
export function numbersOf(value: TensorValue): Float64Array {
  const dtype = dtypeOf(value.dtype);
  checkLength(value, bytesPerElement(dtype));
  return readNumbers(rawTensor(dtype, value.shape, value.data));
}

/** A value of dtype string. */
export function valueOfStrings(shape: readonly number[], strings: readonly Uint8Array[]): TensorValue {
  const data = new Uint8Array(strings.reduce((size, text) => size + 4 + text.length, 0));
  const view = new DataView(data.buffer);
  let at = 0;
  for (const text of strings) {
    view.setUint32(at, text.length, true);
    data.set(text, at + 4);
    at += 4 + text.length;
  }
  return { dtype: 'string', shape, data };
}

/**
 * The elements of a value of dtype string.
 * @throws BnfixError `usage` when data and shape do not agree
 */
export function stringsOf(value: TensorValue): Uint8Array[] {
  const { data } = value;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const strings: Uint8Array[] = [];
  let at = 0;
  while (at + 4 <= data.length) {
    const end = at + 4 + view.getUint32(at, true);
    strings.push(data.subarray(at + 4, end));
    at = end;
  }
  if (at !== data.length || strings.length !== elementCount(value.shape)) throw disagree(value);
  return strings;
}

function checkLength(value: TensorValue, width: number | undefined): void {
  if (width !== undefined && value.data.length !== elementCount(value.shape) * width) throw disagree(value);
}

function disagree(value: TensorValue): BnfixError {
  return new BnfixError(
    'usage',
    `${value.data.length} bytes are not a ${value.dtype} tensor of shape [${value.shape}]`,
  );
}
