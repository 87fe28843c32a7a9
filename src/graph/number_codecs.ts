import { Float16Array } from '@petamoriken/float16';
import { DataType } from './dtype.js';

// The raw form is little-endian, typed arrays have the byte order of the machine: load() refuses big-endian machines.

type Encode = (values: ArrayLike<number>) => ArrayBufferView;
type Decode = (bytes: ArrayBufferLike) => Float64Array;

/** bfloat16 is the upper half of float32; rounds to nearest, ties to even, as TensorFlow does. */
const toBfloat16: Encode = (values) => {
  const bits = new Uint32Array(new Float32Array(values).buffer);
  const out = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i]!;
    const isNumber = (x & 0x7fffffff) <= 0x7f800000;
    out[i] = isNumber ? (x + 0x7fff + ((x >>> 16) & 1)) >>> 16 : (x >>> 16) | 0x40;
  }
  return out;
};

const fromBfloat16: Decode = (bytes) => {
  const stored = new Uint16Array(bytes);
  const bits = new Uint32Array(stored.length);
  for (let i = 0; i < bits.length; i++) bits[i] = stored[i]! << 16;
  return new Float64Array(new Float32Array(bits.buffer));
};

/** From this number of elements on, a table of all float16 values pays off: decoding one by one is many times slower. */
const MANY_HALVES = 4096;
let halves: Float64Array | undefined;

const fromFloat16: Decode = (bytes) => {
  const stored = new Uint16Array(bytes);
  if (stored.length < MANY_HALVES) return new Float64Array(new Float16Array(bytes));
  halves ??= new Float64Array(new Float16Array(Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).buffer));
  const out = new Float64Array(stored.length);
  for (let i = 0; i < out.length; i++) out[i] = halves[stored[i]!]!;
  return out;
};

const toBool: Encode = (values) => {
  const out = new Uint8Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i] ? 1 : 0;
  return out;
};

/** Encodes numbers in the raw form of a dtype, each rounded once. */
export const ENCODERS: Partial<Record<DataType, Encode>> = {
  [DataType.DT_FLOAT]: (values) => new Float32Array(values),
  [DataType.DT_DOUBLE]: (values) => new Float64Array(values),
  [DataType.DT_HALF]: (values) => new Uint8Array(new Float16Array(values).buffer),
  [DataType.DT_BFLOAT16]: toBfloat16,
  [DataType.DT_INT8]: (values) => new Int8Array(values),
  [DataType.DT_UINT8]: (values) => new Uint8Array(values),
  [DataType.DT_INT16]: (values) => new Int16Array(values),
  [DataType.DT_UINT16]: (values) => new Uint16Array(values),
  [DataType.DT_INT32]: (values) => new Int32Array(values),
  [DataType.DT_UINT32]: (values) => new Uint32Array(values),
  [DataType.DT_INT64]: (values) => BigInt64Array.from(Array.from(values, BigInt)),
  [DataType.DT_UINT64]: (values) => BigUint64Array.from(Array.from(values, BigInt)),
  [DataType.DT_BOOL]: toBool,
};

/** Decodes the raw form of a dtype; it must start at the beginning of its buffer. */
export const DECODERS: Partial<Record<DataType, Decode>> = {
  [DataType.DT_FLOAT]: (bytes) => new Float64Array(new Float32Array(bytes)),
  [DataType.DT_DOUBLE]: (bytes) => new Float64Array(bytes),
  [DataType.DT_HALF]: fromFloat16,
  [DataType.DT_BFLOAT16]: fromBfloat16,
  [DataType.DT_INT8]: (bytes) => new Float64Array(new Int8Array(bytes)),
  [DataType.DT_UINT8]: (bytes) => new Float64Array(new Uint8Array(bytes)),
  [DataType.DT_INT16]: (bytes) => new Float64Array(new Int16Array(bytes)),
  [DataType.DT_UINT16]: (bytes) => new Float64Array(new Uint16Array(bytes)),
  [DataType.DT_INT32]: (bytes) => new Float64Array(new Int32Array(bytes)),
  [DataType.DT_UINT32]: (bytes) => new Float64Array(new Uint32Array(bytes)),
  [DataType.DT_INT64]: (bytes) => Float64Array.from(new BigInt64Array(bytes), Number),
  [DataType.DT_UINT64]: (bytes) => Float64Array.from(new BigUint64Array(bytes), Number),
  [DataType.DT_BOOL]: (bytes) => new Float64Array(new Uint8Array(bytes)),
};
