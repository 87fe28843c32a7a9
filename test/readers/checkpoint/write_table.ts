// Writes checkpoints in memory, independently of the readers: tables, V2 bundles and V1 files.
import { compress } from 'snappyjs';
import { DataType, swapWidth } from '../../../src/graph/dtype.js';
import type { TensorSlice } from '../../../src/graph/slices.js';
import { crc32cPortable as crc32c, maskCrc } from '../../../src/io/crc32c.js';
import { type ByteSource, MemorySource } from '../../../src/io/source.js';
import { tensorflow } from '../../../src/proto/tensorflow.js';
import { encodeTensorNameSlice } from '../../../src/readers/checkpoint/ordered_code.js';

export type Entry = readonly [key: string, value: Uint8Array];

export interface TableOptions {
  readonly snappy?: boolean;
  /** A block is closed once it has as many bytes. */
  readonly blockBytes?: number;
  readonly restartEvery?: number;
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

export function fixed32(value: number, bigEndian = false): Buffer {
  const bytes = Buffer.alloc(4);
  if (bigEndian) bytes.writeUInt32BE(value);
  else bytes.writeUInt32LE(value);
  return bytes;
}

/** A block without its trailer. */
export function block(entries: readonly Entry[], restartEvery = 16): Buffer {
  const parts: Buffer[] = [];
  const restarts: number[] = [];
  let at = 0;
  let before = '';
  for (const [i, [key, value]] of entries.entries()) {
    let shared = 0;
    if (i % restartEvery === 0) restarts.push(at);
    else while (shared < Math.min(before.length, key.length) && before[shared] === key[shared]) shared++;
    const rest = Buffer.from(key.slice(shared), 'latin1');
    const entry = Buffer.concat([varint(shared), varint(rest.length), varint(value.length), rest, value]);
    parts.push(entry);
    at += entry.length;
    before = key;
  }
  if (restarts.length === 0) restarts.push(0);
  return Buffer.concat([...parts, ...restarts.map((r) => fixed32(r)), fixed32(restarts.length)]);
}

export const MAGIC = Buffer.from('57fb808b247547db', 'hex');

/** A table of entries, which must be in order. */
export function writeTable(entries: readonly Entry[], options: TableOptions = {}): Uint8Array {
  const { snappy = false, blockBytes = 4096, restartEvery = 16 } = options;
  const parts: Uint8Array[] = [];
  let size = 0;
  const put = (contents: Buffer): Buffer => {
    const stored = Buffer.concat([snappy ? compress(contents) : contents, Buffer.from([snappy ? 1 : 0])]);
    parts.push(stored, fixed32(maskCrc(crc32c(stored))));
    size += stored.length + 4;
    return Buffer.concat([varint(size - stored.length - 4), varint(stored.length - 1)]);
  };
  const index: Entry[] = [];
  let pending: Entry[] = [];
  for (const [i, entry] of entries.entries()) {
    pending.push(entry);
    const bytes = pending.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    if (bytes < blockBytes && i < entries.length - 1) continue;
    index.push([entry[0], put(block(pending, restartEvery))]);
    pending = [];
  }
  const handles = Buffer.concat([put(block([])), put(block(index, 1))]);
  // Not a Buffer, whose slice() is a view: tests corrupt copies.
  return new Uint8Array(Buffer.concat([...parts, handles, Buffer.alloc(40 - handles.length), MAGIC]));
}

/** A tensor to be saved: its raw little-endian bytes, or its strings. */
export interface SavedTensor {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly bytes?: Uint8Array;
  readonly strings?: readonly string[];
  /** Saved in these parts in place of whole. */
  readonly slices?: readonly TensorSlice[];
  readonly shard?: number;
}

export interface BundleOptions extends TableOptions {
  readonly bigEndian?: boolean;
  readonly shards?: number;
  readonly minConsumer?: number;
  /** What to change in an entry; `p[1]` is the second part of p. */
  readonly edit?: Record<string, tensorflow.BundleEntryProto.$Properties>;
}

export type Files = Map<string, Uint8Array>;

/** Opens files that are in memory; a missing one fails as the file system does. */
export function opener(files: Files): (path: string) => ByteSource {
  return (path) => {
    const bytes = files.get(path);
    if (bytes) return new MemorySource(bytes, path);
    throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' });
  };
}

export function shapeProto(shape: readonly number[]): tensorflow.TensorShapeProto.$Properties {
  return { dim: shape.map((size) => ({ size })) };
}

export function sliceProto(slice: TensorSlice): tensorflow.TensorSliceProto.$Properties {
  return { extent: slice.map(({ start, length }) => (length === -1 ? {} : { start, length })) };
}

/** The indices, row-major, of the elements of a slice. */
export function elementsOf(shape: readonly number[], slice: TensorSlice): number[] {
  return shape.reduce<number[]>(
    (heads, size, i) => {
      const { start, length } = slice[i]!;
      const indices = Array.from({ length: length === -1 ? size : length }, (_, k) => start + k);
      return heads.flatMap((head) => indices.map((index) => head * size + index));
    },
    [0],
  );
}

const width = (tensor: SavedTensor) =>
  tensor.strings ? 0 : tensor.bytes!.length / tensor.shape.reduce((product, size) => product * size, 1) || 1;

/** The part of a tensor's elements that a slice has. */
export function cut(tensor: SavedTensor, slice: TensorSlice): SavedTensor {
  const elements = elementsOf(tensor.shape, slice);
  const shape = tensor.shape.map((size, i) => (slice[i]!.length === -1 ? size : slice[i]!.length));
  if (tensor.strings) return { ...tensor, shape, strings: elements.map((i) => tensor.strings![i]!) };
  const bytes = elements.map((i) => tensor.bytes!.slice(i * width(tensor), (i + 1) * width(tensor)));
  return { ...tensor, shape, bytes: Buffer.concat(bytes) };
}

/** A V2 checkpoint: `prefix.index` and its data files. */
export function writeBundle(prefix: string, tensors: readonly SavedTensor[], options: BundleOptions = {}): Files {
  const { bigEndian = false, shards = 1, minConsumer = 0, edit = {} } = options;
  const data = Array.from({ length: shards }, () => Buffer.alloc(0));
  const entries: Entry[] = [];
  const add = (key: string, name: string, entry: tensorflow.BundleEntryProto.$Properties) => {
    entries.push([key, tensorflow.BundleEntryProto.encode({ ...entry, ...edit[name] }).finish()]);
  };
  const store = (tensor: SavedTensor) => {
    const shard = tensor.shard ?? 0;
    const { bytes, crc } = tensor.strings ? stringBytes(tensor.strings, bigEndian) : rawBytes(tensor, bigEndian);
    const offset = data[shard]!.length;
    data[shard] = Buffer.concat([data[shard]!, bytes]);
    return { shard_id: shard, offset, size: bytes.length, crc32c: maskCrc(crc) };
  };
  for (const tensor of tensors) {
    const { name, dtype, slices = [] } = tensor;
    const shape = shapeProto(tensor.shape);
    const values = slices.length === 0 ? store(tensor) : { slices: slices.map(sliceProto) };
    add(Buffer.from(name, 'utf8').toString('latin1'), name, { dtype, shape, ...values });
    for (const [i, slice] of slices.entries()) {
      const part = cut({ ...tensor, shard: i % shards }, slice);
      add(encodeTensorNameSlice(name, slice), `${name}[${i}]`, {
        dtype,
        shape: shapeProto(part.shape),
        ...store(part),
      });
    }
  }
  const header = {
    num_shards: shards,
    endianness: bigEndian ? 1 : 0,
    version: { producer: 1, min_consumer: minConsumer },
  };
  entries.push(['', tensorflow.BundleHeaderProto.encode(header).finish()]);
  entries.sort(byKey);
  const files: Files = new Map([[`${prefix}.index`, writeTable(entries, options)]]);
  const digits = (n: number) => String(n).padStart(5, '0');
  for (const [i, bytes] of data.entries())
    files.set(`${prefix}.data-${digits(i)}-of-${digits(shards)}`, new Uint8Array(bytes));
  return files;
}

function byKey([a]: Entry, [b]: Entry): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rawBytes(tensor: SavedTensor, bigEndian: boolean): { bytes: Buffer; crc: number } {
  const bytes = Buffer.from(tensor.bytes!);
  const step = swapWidth(tensor.dtype);
  if (bigEndian) for (let at = 0; at < bytes.length; at += step) bytes.subarray(at, at + step).reverse();
  return { bytes, crc: crc32c(bytes) };
}

function stringBytes(strings: readonly string[], bigEndian: boolean): { bytes: Buffer; crc: number } {
  const values = strings.map((value) => Buffer.from(value, 'latin1'));
  const lengthsCrc = crc32c(Buffer.concat(values.map(({ length }) => fixed32(length, bigEndian))));
  const tail = Buffer.concat([fixed32(maskCrc(lengthsCrc), bigEndian), ...values]);
  return { bytes: Buffer.concat([...values.map(({ length }) => varint(length)), tail]), crc: crc32c(tail, lengthsCrc) };
}

/** A V1 checkpoint file, or a shard of one; `data` gives the TensorProto of a tensor or slice. */
export function writeV1(
  tensors: readonly SavedTensor[],
  data: (tensor: SavedTensor) => tensorflow.TensorProto.$Properties,
  options: TableOptions & { minConsumer?: number } = {},
): Uint8Array {
  const encode = (message: tensorflow.SavedTensorSlices.$Properties) =>
    tensorflow.SavedTensorSlices.encode(message).finish();
  const tensor = tensors.map(({ name, shape, dtype, slices }) => ({
    name,
    shape: shapeProto(shape),
    type: dtype,
    slice: (slices ?? [wholeSlice(shape)]).map(sliceProto),
  }));
  const versions = { producer: 1, min_consumer: options.minConsumer ?? 0 };
  const entries: Entry[] = [['', encode({ meta: { tensor, versions } })]];
  for (const saved of tensors) {
    for (const slice of saved.slices ?? [wholeSlice(saved.shape)]) {
      const value = encode({ data: { name: saved.name, slice: sliceProto(slice), data: data(cut(saved, slice)) } });
      entries.push([encodeTensorNameSlice(saved.name, slice), value]);
    }
  }
  return writeTable(entries.sort(byKey), options);
}

function wholeSlice(shape: readonly number[]): TensorSlice {
  return shape.map(() => ({ start: 0, length: -1 }));
}

/** The bytes 0, 1, 2, ... of a float tensor whose elements count up. */
export function floats(name: string, shape: readonly number[], extra: Partial<SavedTensor> = {}): SavedTensor {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 0.5);
  return { name, dtype: DataType.DT_FLOAT, shape, bytes: new Uint8Array(values.buffer), ...extra };
}
