import type * as converter from '@tensorflow/tfjs-converter';
import type * as core from '@tensorflow/tfjs-core';
import { BnfixError } from '../errors.js';
import { DataType, dtypeName } from '../graph/dtype.js';
import { numberTensor, readBytes, readNumbers, type Tensor } from '../graph/tensor.js';
import { numbersOf, stringsOf, type TensorValue, tensorValue } from './value.js';

/** The parts of TensorFlow.js that bnfix uses. */
export interface Tfjs {
  readonly core: typeof core;
  readonly converter: typeof converter;
}

/** The dtypes that TensorFlow.js computes in. */
export type TfjsType = 'float32' | 'int32' | 'bool' | 'string' | 'complex64';

const NARROW: Partial<Record<DataType, TfjsType>> = {
  [DataType.DT_FLOAT]: 'float32',
  [DataType.DT_DOUBLE]: 'float32',
  [DataType.DT_HALF]: 'float32',
  [DataType.DT_BFLOAT16]: 'float32',
  [DataType.DT_INT8]: 'int32',
  [DataType.DT_UINT8]: 'int32',
  [DataType.DT_INT16]: 'int32',
  [DataType.DT_UINT16]: 'int32',
  [DataType.DT_INT32]: 'int32',
  [DataType.DT_UINT32]: 'int32',
  [DataType.DT_INT64]: 'int32',
  [DataType.DT_UINT64]: 'int32',
  [DataType.DT_BOOL]: 'bool',
  [DataType.DT_STRING]: 'string',
  [DataType.DT_COMPLEX64]: 'complex64',
};

const WIDE: Record<TfjsType, DataType> = {
  float32: DataType.DT_FLOAT,
  int32: DataType.DT_INT32,
  bool: DataType.DT_BOOL,
  string: DataType.DT_STRING,
  complex64: DataType.DT_COMPLEX64,
};

/** The TensorFlow.js dtype that computes a dtype; undefined if none can. */
export function narrowed(dtype: DataType): TfjsType | undefined {
  return NARROW[dtype];
}

/** The DataType that replaces `dtype` in an attr, so that nodes agree with what is computed. */
export function narrowedType(dtype: DataType): DataType {
  const narrow = NARROW[dtype];
  return narrow ? WIDE[narrow] : dtype;
}

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/**
 * The value of a constant as TensorFlow.js stores it. Integers beyond int32 become the nearest int32: graphs use
 * them for "to the end" of a slice.
 */
export function narrowedConstant(tensor: Tensor, where: string): { dtype: TfjsType; bytes: Uint8Array } {
  const dtype = narrowed(tensor.dtype);
  if (!dtype) throw noSuchType(tensor.dtype, where);
  if (dtype === 'string') return { dtype, bytes: packedStrings(tensor.strings()) };
  if (dtype === 'bool' || WIDE[dtype] === tensor.dtype) return { dtype, bytes: readBytes(tensor) };
  const numbers = readNumbers(tensor);
  if (dtype === 'int32') {
    for (let i = 0; i < numbers.length; i++) numbers[i] = Math.min(INT32_MAX, Math.max(INT32_MIN, numbers[i]!));
  }
  return { dtype, bytes: readBytes(numberTensor(WIDE[dtype], tensor.shape, numbers)) };
}

/** Strings as TensorFlow.js stores them: one after the other, each preceded by its length as a uint32. */
export function packedStrings(strings: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(strings.reduce((size, text) => size + 4 + text.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const text of strings) {
    view.setUint32(at, text.length, true);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  return bytes;
}

/** A fed value as a tensor of TensorFlow.js; the caller disposes of it. */
export function toTfjs(tfjs: Tfjs, value: TensorValue, dtype: DataType, where: string): core.Tensor {
  const { core } = tfjs;
  const shape = [...value.shape];
  const narrow = narrowed(dtype);
  switch (narrow) {
    case undefined:
      throw noSuchType(dtype, where);
    case 'string':
      return core.tensor([...stringsOf(value)], shape, 'string');
    case 'complex64': {
      const parts = numbersOf(value);
      const part = (offset: number) => core.tensor(Float32Array.from(parts.filter((_, i) => i % 2 === offset)), shape);
      return core.tidy(() => core.complex(part(0), part(1)));
    }
    case 'int32': {
      const numbers = numbersOf(value);
      const beyond = numbers.find((x) => x < INT32_MIN || x > INT32_MAX);
      if (beyond !== undefined) {
        throw new BnfixError('unsupported', `${beyond} does not fit into the int32 that TensorFlow.js computes in`, {
          where,
        });
      }
      return core.tensor(Int32Array.from(numbers), shape, 'int32');
    }
    case 'bool':
      return core.tensor(Uint8Array.from(numbersOf(value)), shape, 'bool');
    case 'float32':
      return core.tensor(new Float32Array(numbersOf(value)), shape, 'float32');
  }
}

/** A copy of a tensor, in the dtype that the graph declares. */
export function fromTfjs({ core }: Tfjs, tensor: core.Tensor, declared: DataType | undefined): TensorValue {
  const data = core.engine().readSync(tensor.dataId);
  if (Array.isArray(data)) return tensorValue('string', tensor.shape, data);
  const computed = WIDE[tensor.dtype as TfjsType];
  const dtype = dtypeName(declared !== undefined && narrowed(declared) ? declared : computed);
  if (dtype === 'float32' && data instanceof Float32Array) return { dtype, shape: tensor.shape, data: data.slice() };
  return tensorValue(dtype, tensor.shape, data);
}

function noSuchType(dtype: DataType, where: string): BnfixError {
  return new BnfixError('unsupported', `TensorFlow.js has no ${dtypeName(dtype)}`, { where });
}
