import { BnfixError } from '../../errors.js';
import { DataType } from '../../graph/dtype.js';
import { elementCount, numberTensor, rawTensor, readBytes, readNumbers } from '../../graph/tensor.js';
import { permuted } from '../../run/permuted.js';
import { dtypeOf, type TensorValue, tensorValue } from '../../run/value.js';

// The format: numpy/lib/format.py. A header that is a Python literal, then the elements.

const MAGIC = '\x93NUMPY';
const latin1 = new TextDecoder('latin1');

/** Of tensors in TensorFlow; arrays of NumPy have 64 axes at most. */
const MAX_RANK = 254;

/** NumPy's type codes without the byte order. */
const DTYPES: ReadonlyMap<string, string> = new Map([
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
  ['i1', 'int8'],
  ['i2', 'int16'],
  ['i4', 'int32'],
  ['i8', 'int64'],
  ['u1', 'uint8'],
  ['u2', 'uint16'],
  ['u4', 'uint32'],
  ['u8', 'uint64'],
  ['b1', 'bool'],
]);

/** Whether bytes are a .npy file. */
export function isNpy(bytes: Uint8Array): boolean {
  return latin1.decode(bytes.subarray(0, MAGIC.length)) === MAGIC;
}

/** What the header of a .npy file says. */
export interface NpyHeader {
  /** float32, int64, ... */
  readonly dtype: string;
  /** Bytes per element. */
  readonly width: number;
  readonly isBigEndian: boolean;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
  /** Where the elements start. */
  readonly start: number;
}

/** How many bytes of a file contain its header, in almost all cases. */
export const NPY_HEADER_BYTES = 4096;

/**
 * Reads the header of a .npy file.
 * @param bytes - the beginning of the file
 * @throws BnfixError `unreadable` when it is truncated or corrupt, `unsupported` for another dtype
 */
export function readNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  const major = bytes[MAGIC.length];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = major === 1 ? MAGIC.length + 4 : MAGIC.length + 6;
  if (!isNpy(bytes) || major === undefined || major < 1 || major > 3 || bytes.length < start) throw corrupt(where);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (bytes.length < start + length) throw corrupt(where);
  const { code, order, isFortran, shape } = headerOf(latin1.decode(bytes.subarray(start, start + length)), where);
  const dtype = DTYPES.get(code);
  if (dtype === undefined) {
    throw new BnfixError('unsupported', `arrays of dtype ${order}${code} are not supported`, {
      where,
      fix: "save it as float32: np.save(file, array.astype('float32'))",
    });
  }
  return { dtype, width: Number(code.slice(1)), isBigEndian: order === '>', isFortran, shape, start: start + length };
}

/**
 * Reads a .npy file: an array of numbers or bools, in C or Fortran order, of either byte order.
 * @throws BnfixError `unreadable` when it is truncated or corrupt, `unsupported` for another dtype
 */
export function readNpy(bytes: Uint8Array, where: string): TensorValue {
  const header = readNpyHeader(bytes, where);
  const { shape, start, width, isFortran } = header;
  const size = elementCount(shape) * width;
  if (bytes.length - start < size) throw corrupt(where);
  const elements = bytes.slice(start, start + size);
  return npyElements(header, shape, isFortran ? inRowOrder(elements, width, shape) : elements);
}

/** An array from the bytes of its elements, in C order. @param data - is changed */
export function npyElements(
  { dtype, width, isBigEndian }: NpyHeader,
  shape: readonly number[],
  data: Uint8Array,
): TensorValue {
  if (isBigEndian) swapBytes(data, width);
  // Float64Array, which other elements become, loses the last bits of these.
  if (dtype === 'int64') return { dtype, shape, data: new BigInt64Array(data.slice().buffer) };
  if (dtype === 'uint64') return { dtype, shape, data: new BigUint64Array(data.slice().buffer) };
  return tensorValue(dtype, shape, readNumbers(rawTensor(dtypeOf(dtype), shape, data)));
}

interface Header {
  readonly code: string;
  readonly order: string;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
}

function headerOf(text: string, where: string): Header {
  const [, order, code] = /'descr': ?'([<>|=])(\w{1,3})'/.exec(text) ?? [];
  const fortran = /'fortran_order': ?(True|False)/.exec(text)?.[1];
  const sizes = /'shape': ?\(([\d, ]{0,1000})\)/.exec(text)?.[1];
  if (order === undefined || code === undefined || fortran === undefined || sizes === undefined) throw corrupt(where);
  const shape = sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  if (shape.length > MAX_RANK || !Number.isSafeInteger(elementCount(shape.map((size) => Math.max(size, 1)))))
    throw corrupt(where);
  return { code, order, isFortran: fortran === 'True', shape };
}

function corrupt(where: string): BnfixError {
  return new BnfixError('unreadable', 'not a valid .npy file', { where, why: 'it is truncated or corrupt' });
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

/** Elements of so many bytes in row-major order, from column-major ones: those of the array with its axes in the opposite order. */
function inRowOrder(elements: Uint8Array, width: number, shape: readonly number[]): Uint8Array {
  const places = Float64Array.from({ length: elements.length / width }, (_, i) => i);
  const from = permuted([...shape].reverse(), places, shape.map((_, axis) => axis).reverse());
  const out = new Uint8Array(elements.length);
  for (const [i, place] of from.entries()) out.set(elements.subarray(place * width, (place + 1) * width), i * width);
  return out;
}

/**
 * Writes a .npy file in C order, little-endian, as `np.save` does. bfloat16 becomes float32, complex64 `c8`.
 * @throws BnfixError `unsupported` for strings
 */
export function writeNpy({ dtype, shape, data }: TensorValue): Uint8Array {
  const name = dtype === 'bfloat16' ? 'float32' : dtype;
  const code = [...DTYPES].find(([, known]) => known === name)?.[0] ?? (name === 'complex64' ? 'c8' : undefined);
  if (code === undefined) throw new BnfixError('unsupported', `a ${dtype} tensor cannot be saved as .npy`);
  const order = code.endsWith('1') ? '|' : '<';
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // The elements start at a multiple of 64 bytes.
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const body = elementsOf(name, shape, data as ArrayLike<number | bigint>);
  const out = new Uint8Array(10 + padded.length + body.length);
  for (const [i, char] of [...MAGIC].entries()) out[i] = char.charCodeAt(0);
  out.set([1, 0, padded.length & 0xff, padded.length >> 8], MAGIC.length);
  out.set(new TextEncoder().encode(padded), 10);
  out.set(body, 10 + padded.length);
  return out;
}

function elementsOf(name: string, shape: readonly number[], data: ArrayLike<number | bigint>): Uint8Array {
  if (name === 'float16') return readBytes(numberTensor(DataType.DT_HALF, shape, data as ArrayLike<number>));
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
