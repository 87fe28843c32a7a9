import { BnfixError } from '../../errors.js';
import { DataType, dtypeName, isFloat } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import type { Tensor } from '../../graph/tensor.js';
import { anyOf } from '../../ops/meaning.js';
import { narrowed, narrowedType, packedStrings, type TfjsType } from '../../run/tfjs.js';
import type { Quantization } from '../destination.js';
import { type QuantizationInfo, quantized } from './quantize.js';
import { numberChunks, recoded, type Store } from './recode.js';

/** A weight as the manifest of a model.json lists it. */
export interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: TfjsType;
  readonly quantization?: QuantizationInfo;
}

/** A weight: its entry, and its bytes, which are read while they are written. */
export interface StoredWeight {
  readonly entry: WeightEntry;
  readonly bytes: Uint8Array | Tensor;
}

/** What to say of matrices and kernels that were to be quantized and could not be. */
export function notQuantized(weights: readonly StoredWeight[]): string[] {
  const names = weights.flatMap(({ entry: { name, dtype, shape, quantization } }) => {
    return dtype === 'float32' && !quantization && shape.length > 1 && !shape.includes(0) ? [name] : [];
  });
  if (names.length === 0) return [];
  const shown = names.slice(0, 3).join(', ') + (names.length > 3 ? `, and ${names.length - 3} more` : '');
  return [`not quantized, since values are not finite or out of range: ${shown}`];
}

/**
 * A constant as TensorFlow.js stores it: float64, float16 and bfloat16 as float32, other integers as int32.
 * @throws BnfixError `unsupported` for a dtype that TensorFlow.js lacks, and for an integer that does not fit into int32
 */
export function storedWeight(graph: Graph, node: Node, quantization: Quantization | undefined): StoredWeight {
  const { name, tensor } = node;
  if (!tensor) throw new BnfixError('unreadable', `the constant ${name} has no value`, { where: name });
  const dtype = narrowed(tensor.dtype);
  if (dtype === undefined) throw noSuchType(name, tensor.dtype);
  const entry = { name, shape: tensor.shape, dtype };
  if (dtype === 'string') return { entry, bytes: packedStrings(tensor.strings()) };
  const small = quantization && isFloat(tensor.dtype) ? quantized(tensor, quantization) : undefined;
  if (small) return { entry: { ...entry, quantization: small.info }, bytes: small.stored };
  const stored = narrowedType(tensor.dtype);
  if (stored === tensor.dtype) return { entry, bytes: tensor };
  if (dtype !== 'int32') return { entry, bytes: recoded(tensor, stored) };
  if (!isOnlyBound(graph, node)) refuseLarge(name, tensor);
  return { entry, bytes: recoded(tensor, stored, storeInt32) };
}

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;
const WIDE_INTEGERS: readonly DataType[] = [DataType.DT_INT64, DataType.DT_UINT64, DataType.DT_UINT32];

const nearestInt32 = (value: number) => Math.min(INT32_MAX, Math.max(INT32_MIN, value));

const storeInt32: Store = (numbers, out) => {
  new Int32Array(out.buffer, out.byteOffset, numbers.length).set(numbers.map(nearestInt32));
};

const slices = anyOf('slice');

/** Whether only slices read a constant: to them a number beyond int32 means the end. */
function isOnlyBound(graph: Graph, { name }: Node): boolean {
  return graph.dataConsumers(name).every((consumer) => slices(consumer));
}

function refuseLarge(name: string, tensor: Tensor): void {
  if (!WIDE_INTEGERS.includes(tensor.dtype)) return;
  for (const numbers of numberChunks(tensor)) {
    const beyond = numbers.find((value: number) => nearestInt32(value) !== value);
    if (beyond === undefined) continue;
    throw new BnfixError('unsupported', `${beyond} does not fit into the int32 of TensorFlow.js`, {
      where: name,
      why: `TensorFlow.js has no ${dtypeName(tensor.dtype)}`,
      fix: { option: 'format', value: 'pb', text: 'writes a frozen graph for other programs' },
    });
  }
}

function noSuchType(where: string, dtype: DataType): BnfixError {
  return new BnfixError('unsupported', `TensorFlow.js has no ${dtypeName(dtype)}`, {
    where,
    fix: { option: 'format', value: 'pb', text: 'writes a frozen graph for other programs' },
  });
}
