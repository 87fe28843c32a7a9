import { BnfixError } from '../errors.js';
import { DataType, dtypeName } from '../graph/dtype.js';
import { elementCount, numberTensor, readNumbers } from '../graph/tensor.js';

/** The elements of a numeric tensor. */
export type NumberData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A tensor that is fed to a graph or fetched from it. */
export interface TensorValue {
  /** `float32`, `float64`, `float16`, `bfloat16`, `int8` to `int64`, `uint8` to `uint64`, `bool`, `complex64`, `string`. */
  readonly dtype: string;
  /** Sizes of the dimensions, outermost first. */
  readonly shape: readonly number[];
  /**
   * Elements in row-major order, in the typed array of the dtype: `Float32Array` for float32, `BigInt64Array` for int64.
   * float16 and bfloat16 are in a `Float32Array`, bool (0 and 1) in a `Uint8Array`, complex64 as real and imaginary parts
   * in a `Float32Array`. Strings are one `Uint8Array` each.
   */
  readonly data: NumberData | readonly Uint8Array[];
}

/** Values by tensor, as `name` or `name:port`. */
export type TensorValues = Readonly<Record<string, TensorValue>>;

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
  complex64: Float32Array,
} as const;

const BY_NAME: ReadonlyMap<string, DataType> = new Map(
  Object.values(DataType)
    .filter((value): value is DataType => typeof value === 'number' && value > 0 && value < 100)
    .map((dtype) => [dtypeName(dtype), dtype]),
);

/**
 * The DataType of a name as {@link dtypeName} writes it.
 * @throws BnfixError `usage` for an unknown name
 */
export function dtypeOf(name: string): DataType {
  const dtype = BY_NAME.get(name);
  if (dtype !== undefined) return dtype;
  throw new BnfixError('usage', `unknown dtype ${name}`, { fix: 'float32, int32, int64, bool, string, ...' });
}

/**
 * A value with the given elements in row-major order. Numbers are rounded once to the dtype; for bool, they are 0 and 1;
 * complex64 takes alternating real and imaginary parts.
 *
 * @example
 * import { tensorValue } from 'bnfix';
 * tensorValue('int64', [2], [1, 2]).data; // BigInt64Array.of(1n, 2n)
 *
 * @throws BnfixError `usage` when the elements do not fill the shape or are not of the dtype
 */
export function tensorValue(
  dtype: string,
  shape: readonly number[],
  elements: ArrayLike<number> | readonly Uint8Array[],
): TensorValue {
  const value = { dtype, shape, data: elementsOf(dtype, elements) };
  checkValue(value);
  return value;
}

function elementsOf(dtype: string, elements: ArrayLike<number> | readonly Uint8Array[]): TensorValue['data'] {
  const type = dtypeOf(dtype);
  if (type === DataType.DT_STRING) return elements as readonly Uint8Array[];
  if (type === DataType.DT_COMPLEX64) return Float32Array.from(elements as ArrayLike<number>);
  const rounded = readNumbers(numberTensor(type, [elements.length], elements as ArrayLike<number>));
  if (type === DataType.DT_INT64) return BigInt64Array.from(rounded, BigInt);
  if (type === DataType.DT_UINT64) return BigUint64Array.from(rounded, BigInt);
  const Elements = ARRAYS[dtype as Exclude<keyof typeof ARRAYS, 'int64' | 'uint64'>];
  return new Elements(rounded);
}

/**
 * Checks that the data of a value is of its dtype and fills its shape.
 * @throws BnfixError `usage` when it does not
 */
export function checkValue({ dtype, shape, data }: TensorValue): void {
  const count = elementCount(shape) * (dtype === 'complex64' ? 2 : 1);
  const Elements = dtype === 'string' ? Array : ARRAYS[dtype as keyof typeof ARRAYS];
  if (Elements === undefined) throw new BnfixError('usage', `a ${dtypeNamed(dtype)} tensor cannot be fed or fetched`);
  if (data instanceof Elements && data.length === count) return;
  throw new BnfixError(
    'usage',
    `a ${dtype} tensor of shape [${shape}] takes ${count} elements in ${anArray(Elements.name)}, not ${data.length} in ${anArray(data.constructor.name)}`,
  );
}

/** Whether a shape has the sizes of a declared one, which is -1 where any size is allowed. */
export function fitsShape(shape: readonly number[], declared: readonly number[]): boolean {
  return shape.length === declared.length && declared.every((size, i) => size < 0 || size === shape[i]);
}

/** Some entries of the first axis. */
export function rowsOf({ dtype, shape, data }: TensorValue, start: number, count: number): TensorValue {
  const [rows = 0, ...rest] = shape;
  const size = rows === 0 ? 0 : data.length / rows;
  return { dtype, shape: [count, ...rest], data: data.slice(start * size, (start + count) * size) };
}

/** The name of a known dtype. */
function dtypeNamed(name: string): string {
  return dtypeName(dtypeOf(name));
}

const anArray = (name: string) => `${/^[AI]/.test(name) ? 'an' : 'a'} ${name}`;

/**
 * All elements as numbers in row-major order. int64 beyond 2^53 loses its last bits; bool is 0 and 1.
 * @throws BnfixError `usage` when data and shape do not agree, or for strings
 */
export function numbersOf(value: TensorValue): Float64Array {
  checkValue(value);
  const { dtype, data } = value;
  if (Array.isArray(data)) throw new BnfixError('usage', `a ${dtype} tensor has no numbers`);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  return new Float64Array(data as ArrayLike<number>);
}

/**
 * The elements of a value of dtype string.
 * @throws BnfixError `usage` when data and shape do not agree, or for numbers
 */
export function stringsOf(value: TensorValue): readonly Uint8Array[] {
  checkValue(value);
  if (Array.isArray(value.data)) return value.data;
  throw new BnfixError('usage', `a ${value.dtype} tensor has no strings`);
}
