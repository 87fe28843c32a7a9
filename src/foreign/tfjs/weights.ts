import { DataType } from '../../graph/dtype.js';
import {
  byteSize,
  elementCount,
  numberTensor,
  rawTensor,
  readBytes,
  readNumbers,
  stringTensor,
  type Tensor,
} from '../../graph/tensor.js';
import type { ByteSource } from '../../io/source.js';
import { JoinedSource } from './joined_source.js';
import { type JsonObject, objectAt, objectsAt, textAt } from './model_json.js';

/** Opens a file with weights that a model.json names, next to it; undefined if it does not exist. */
export type OpenShard = (path: string) => ByteSource | undefined;

/** The weights of a model. */
export interface Weights {
  readonly byName: ReadonlyMap<string, Tensor>;
  /** Files that do not exist, and the weights in them. */
  readonly missing: readonly string[];
  readonly sources: readonly ByteSource[];
}

const DTYPES: ReadonlyMap<string, DataType> = new Map([
  ['float32', DataType.DT_FLOAT],
  ['float16', DataType.DT_HALF],
  ['int32', DataType.DT_INT32],
  ['uint8', DataType.DT_UINT8],
  ['uint16', DataType.DT_UINT16],
  ['bool', DataType.DT_BOOL],
  ['complex64', DataType.DT_COMPLEX64],
]);

/** The weights that a manifest lists; their values are read on demand. @throws Error when the manifest does not fit its files */
export function readManifest(manifest: readonly JsonObject[], open: OpenShard): Weights {
  const byName = new Map<string, Tensor>();
  const missing: string[] = [];
  const sources: ByteSource[] = [];
  for (const group of manifest) {
    const shards = pathsOf(group).map((path) => ({ path, source: open(path) }));
    for (const { source } of shards) if (source) sources.push(source);
    const lost = shards.filter(({ source }) => !source).map(({ path }) => path);
    missing.push(...lost);
    if (lost.length > 0) continue;
    const joined = new JoinedSource(shards.flatMap(({ source }) => source ?? []));
    let offset = 0;
    for (const spec of objectsAt(group, 'weights')) {
      const { tensor, length } = weightAt(spec, joined, offset);
      byName.set(textAt(spec, 'name') ?? '', tensor);
      offset += length;
    }
  }
  return { byName, missing, sources };
}

function pathsOf({ paths }: JsonObject): string[] {
  return Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : [];
}

/** A weight in the bytes of its group, and their number. */
function weightAt(spec: JsonObject, source: ByteSource, offset: number): { tensor: Tensor; length: number } {
  const name = textAt(spec, 'name') ?? '';
  const shape = shapeOf(spec);
  const dtype = textAt(spec, 'dtype') ?? '';
  if (dtype === 'string') return stringsAt(name, shape, source, offset);
  const quantization = objectAt(spec, 'quantization');
  const stored = DTYPES.get((quantization && textAt(quantization, 'dtype')) ?? dtype);
  const meant = DTYPES.get(dtype);
  if (!stored || !meant) throw new Error(`the weight ${name} has the dtype ${dtype}`);
  const length = byteSize(stored, shape);
  if (!(offset + length <= source.size)) throw new Error(`the weight ${name} is beyond the end of ${source.name}`);
  const raw = () => rawTensor(stored, shape, source.read(offset, length));
  if (!quantization) return { tensor: lazily(stored, shape, name, raw), length };
  const { scale, min } = quantization;
  const numbers = () => {
    const values = readNumbers(raw());
    if (typeof scale !== 'number' || typeof min !== 'number') return values;
    return values.map((value) => value * scale + min);
  };
  return { tensor: lazily(meant, shape, name, () => numberTensor(meant, shape, numbers())), length };
}

function shapeOf({ shape, name }: JsonObject): number[] {
  const sizes = Array.isArray(shape) ? shape : [];
  return sizes.map((size) => {
    if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return size;
    throw new Error(`the weight ${String(name)} has the shape [${sizes.map(String)}]`);
  });
}

/** A tensor that is read, or computed, when its values are needed. */
function lazily(dtype: DataType, shape: readonly number[], origin: string, read: () => Tensor): Tensor {
  const chunks = () => [readBytes(read())];
  const strings = () => read().strings();
  return { dtype, shape, byteLength: byteSize(dtype, shape), chunks, strings, origin };
}

/** Strings are stored one after the other, each after its length. */
function stringsAt(
  name: string,
  shape: readonly number[],
  source: ByteSource,
  start: number,
): { tensor: Tensor; length: number } {
  const values: Uint8Array[] = [];
  let offset = start;
  for (let count = elementCount(shape); count > 0; count--) {
    const header = offset + 4 <= source.size ? source.read(offset, 4) : undefined;
    const length = header && new DataView(header.buffer, header.byteOffset).getUint32(0, true);
    if (length === undefined || offset + 4 + length > source.size) {
      throw new Error(`the weight ${name} is beyond the end of ${source.name}`);
    }
    values.push(source.read(offset + 4, length));
    offset += 4 + length;
  }
  return { tensor: stringTensor(shape, values), length: offset - start };
}

/** A weight in the dtype that the graph declares: TensorFlow.js stores int64 as int32, and half as float32. */
export function inDtype(tensor: Tensor, dtype: DataType): Tensor {
  if (tensor.dtype === dtype || byteSize(dtype, []) === 0 || byteSize(tensor.dtype, []) === 0) return tensor;
  return lazily(dtype, tensor.shape, tensor.origin ?? '', () => numberTensor(dtype, tensor.shape, readNumbers(tensor)));
}
