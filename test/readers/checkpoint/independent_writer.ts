// Writes checkpoints as LevelDB/doc/table_format.md, tensor_bundle.cc, saved_tensor_slice.proto and ordered_code.cc describe
// them. It shares nothing with src/, so that a mistake there cannot be in both.
import { compress } from 'snappyjs';
import { delimited, type Field, message, numeric, varint } from '../../support/wire.js';

/** How a table is laid out. */
export interface Layout {
  readonly blockBytes: number;
  readonly restartEvery: number;
  readonly snappy: boolean;
  /** Index keys are as short as they may be, as LevelDB makes them; otherwise the last key of each block. */
  readonly shortKeys: boolean;
}

/** A part of a tensor: start and length of each dimension. */
export type Box = readonly { readonly start: number; readonly length: number }[];

/** A tensor and the parts in which it is saved. */
export interface Saved {
  readonly name: string;
  readonly dtype: keyof typeof DTYPES;
  readonly shape: readonly number[];
  /** Its elements, row-major: numbers, or texts of a string tensor. */
  readonly elements: readonly (number | bigint | string)[];
  /** Empty if it is saved whole. */
  readonly boxes: readonly Box[];
  /** The shard of each part. */
  readonly shards: readonly number[];
}

/** Number of the dtype, its size, how an element is written, and the field of TensorProto that lists its values. */
const DTYPES = {
  float: { id: 1, list: 5, write: bytes(4, (b, x) => b.writeFloatLE(Number(x))) },
  double: { id: 2, list: 6, write: bytes(8, (b, x) => b.writeDoubleLE(Number(x))) },
  int32: { id: 3, list: 7, write: bytes(4, (b, x) => b.writeInt32LE(Number(x))) },
  uint8: { id: 4, list: 7, write: bytes(1, (b, x) => b.writeUInt8(Number(x))) },
  string: { id: 7, list: 8, write: (x: unknown) => Buffer.from(String(x)) },
  int64: { id: 9, list: 10, write: bytes(8, (b, x) => b.writeBigInt64LE(BigInt(x as bigint))) },
  bool: { id: 10, list: 11, write: bytes(1, (b, x) => b.writeUInt8(Number(x))) },
} as const;

function bytes(size: number, put: (buffer: Buffer, x: unknown) => void) {
  return (x: unknown) => {
    const buffer = Buffer.alloc(size);
    put(buffer, x);
    return buffer;
  };
}

/** The elements as they are in memory: little-endian, one after the other. */
export function rawBytes({ dtype, elements }: Pick<Saved, 'dtype' | 'elements'>): Buffer {
  return Buffer.concat(elements.map((x) => DTYPES[dtype].write(x)));
}

const CRC = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c >>> 0;
});

/** CRC-32C, masked as LevelDB stores it. */
function maskedCrc(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (CRC[(crc ^ byte) & 255]! ^ (crc >>> 8)) >>> 0;
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

type Entry = readonly [key: Buffer, value: Uint8Array];

function blockOf(entries: readonly Entry[], restartEvery: number): Buffer {
  const parts: Buffer[] = [];
  const restarts = [0];
  let size = 0;
  let last: Buffer = Buffer.alloc(0);
  for (const [i, [key, value]] of entries.entries()) {
    let shared = 0;
    if (i % restartEvery !== 0) while (shared < key.length && key[shared] === last[shared]) shared++;
    else if (i > 0) restarts.push(size);
    const head = [shared, key.length - shared, value.length].map((n) => varint(n));
    parts.push(...head, key.subarray(shared), Buffer.from(value));
    size = parts.reduce((sum, { length }) => sum + length, 0);
    last = key;
  }
  return Buffer.concat([...parts, ...restarts.map(uint32), uint32(restarts.length)]);
}

/** A key that is not before `key`, but before `next`; the last key of a table has none after it. */
function separator(key: Buffer, next: Buffer | undefined): Buffer {
  const same = next ? key.findIndex((byte, i) => byte !== next[i]) : 0;
  const byte = key[same];
  if (same < 0 || byte === undefined || byte === 255 || (next && byte + 1 >= next[same]!)) return key;
  return Buffer.concat([key.subarray(0, same), Buffer.from([byte + 1])]);
}

/** A table of entries with distinct keys. */
export function tableOf(unsorted: readonly Entry[], { blockBytes, restartEvery, snappy, shortKeys }: Layout): Buffer {
  const entries = [...unsorted].sort(([a], [b]) => Buffer.compare(a, b));
  const file: Buffer[] = [];
  let size = 0;
  const write = (block: Buffer): Buffer => {
    const smaller = snappy ? Buffer.from(compress(block)) : block;
    const isCompressed = smaller.length < block.length - block.length / 8;
    const stored = Buffer.concat([isCompressed ? smaller : block, Buffer.from([isCompressed ? 1 : 0])]);
    const handle = Buffer.concat([varint(size), varint(stored.length - 1)]);
    file.push(stored, uint32(maskedCrc(stored)));
    size += stored.length + 4;
    return handle;
  };
  const index: Entry[] = [];
  let open: Entry[] = [];
  for (const [i, entry] of entries.entries()) {
    open.push(entry);
    const next = entries[i + 1]?.[0];
    if (next && blockOf(open, restartEvery).length < blockBytes) continue;
    index.push([shortKeys ? separator(entry[0], next) : entry[0], write(blockOf(open, restartEvery))]);
    open = [];
  }
  const handles = Buffer.concat([write(blockOf([], 1)), write(blockOf(index, 1))]);
  return Buffer.concat([...file, handles, Buffer.alloc(40 - handles.length), Buffer.from('57fb808b247547db', 'hex')]);
}

/** A number and the bytes it takes, most significant first. */
function bigEndian(value: bigint, length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 255n)));
}

/** The key of a part: see EncodeTensorNameSlice and ordered_code.cc. */
function partKey(name: string, box: Box): Buffer {
  const unsigned = (value: number) => {
    const hex = value === 0 ? '' : value.toString(16).padStart(2 * Math.ceil(value.toString(16).length / 2), '0');
    return Buffer.from([hex.length / 2, ...Buffer.from(hex, 'hex')]);
  };
  const escaped = [...Buffer.from(name)].flatMap((byte) => (byte === 0 ? [0, 255] : byte === 255 ? [255, 0] : [byte]));
  const signed = (value: number) => {
    const magnitude = value < 0 ? ~value : value;
    // A length of n bytes has n + 1 bits of head, the sign included: 7 n - 1 bits remain.
    let length = 1;
    while (magnitude >= 2 ** (7 * length - 1)) length++;
    const head = ((1n << BigInt(length)) - 1n) << BigInt(8 * length - length);
    return bigEndian(BigInt.asUintN(8 * length, BigInt(value)) ^ head, length);
  };
  const extents = box.flatMap(({ start, length }) => [signed(start), signed(length)]);
  return Buffer.concat([unsigned(0), Buffer.from([...escaped, 0, 1]), unsigned(box.length), ...extents]);
}

const sliceMessage = (box: Box) =>
  message(
    box.map(({ start, length }) => {
      const extent = length === -1 ? [] : [...(start > 0 ? [numeric(1, start)] : []), numeric(2, length)];
      return delimited(1, message(extent));
    }),
  );
const shapeMessage = (shape: readonly number[]) =>
  message(shape.map((size) => delimited(2, message(size > 0 ? [numeric(1, size)] : []))));
const wholeOf = (shape: readonly number[]): Box => shape.map(() => ({ start: 0, length: -1 }));

/** The part of a tensor's elements in a box, and its shape. */
function partOf({ shape, elements }: Saved, box: Box) {
  const lengths = shape.map((size, i) => (box[i]!.length === -1 ? size : box[i]!.length));
  const inside = elements.filter((_, flat) => {
    let rest = flat;
    const index = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return index.every((at, i) => at >= box[i]!.start && at < box[i]!.start + lengths[i]!);
  });
  return { elements: inside, shape: lengths };
}

const digits = (n: number) => String(n).padStart(5, '0');

/** A V2 checkpoint of that many data files, by name. */
export function writeV2(
  prefix: string,
  tensors: readonly Saved[],
  shards: number,
  layout: Layout,
): Map<string, Buffer> {
  const data = Array.from({ length: shards }, () => Buffer.alloc(0));
  const header = message([numeric(1, shards), delimited(3, message([numeric(1, 1)]))]);
  const entries: Entry[] = [[Buffer.alloc(0), header]];
  const entryOf = (dtype: Saved['dtype'], shape: readonly number[], more: readonly Field[]) =>
    message([numeric(1, DTYPES[dtype].id), delimited(2, shapeMessage(shape)), ...more]);
  const store = ({ dtype, elements }: Pick<Saved, 'dtype' | 'elements'>, shard: number): Field[] => {
    const offset = data[shard]!.length;
    const { stored, checked } = dtype === 'string' ? stringsOf(elements) : plain(rawBytes({ dtype, elements }));
    data[shard] = Buffer.concat([data[shard]!, stored]);
    return [
      ...(shard > 0 ? [numeric(3, shard)] : []),
      ...(offset > 0 ? [numeric(4, offset)] : []),
      ...(stored.length > 0 ? [numeric(5, stored.length)] : []),
      { number: 6, wireType: 5, value: uint32(maskedCrc(checked)) },
    ];
  };
  for (const tensor of tensors) {
    const { name, dtype, shape, boxes } = tensor;
    const key = Buffer.from(name);
    if (boxes.length === 0) entries.push([key, entryOf(dtype, shape, store(tensor, tensor.shards[0]!))]);
    else
      entries.push([
        key,
        entryOf(
          dtype,
          shape,
          boxes.map((box) => delimited(7, sliceMessage(box))),
        ),
      ]);
    for (const [i, box] of boxes.entries()) {
      const part = partOf(tensor, box);
      entries.push([partKey(name, box), entryOf(dtype, part.shape, store({ ...part, dtype }, tensor.shards[i]!))]);
    }
  }
  const names = data.map((_, i) => `${prefix}.data-${digits(i)}-of-${digits(shards)}`);
  return new Map([[`${prefix}.index`, tableOf(entries, layout)], ...names.map((name, i) => [name, data[i]!] as const)]);
}

const plain = (stored: Buffer) => ({ stored, checked: stored });

/** Lengths, their checksum, and the strings; the checksum of all takes the lengths as numbers of four bytes. */
function stringsOf(elements: Saved['elements']) {
  const values = elements.map((text) => Buffer.from(String(text)));
  const lengths = Buffer.concat(values.map(({ length }) => uint32(length)));
  const rest = Buffer.concat([uint32(maskedCrc(lengths)), ...values]);
  const stored = Buffer.concat([...values.map(({ length }) => varint(length)), rest]);
  return { stored, checked: Buffer.concat([lengths, rest]) };
}

/** A V1 checkpoint of that many files, by name. */
export function writeV1(
  prefix: string,
  tensors: readonly Saved[],
  shards: number,
  layout: Layout,
): Map<string, Buffer> {
  const metas: Buffer[][] = Array.from({ length: shards }, () => []);
  const entries: Entry[][] = Array.from({ length: shards }, () => []);
  for (const tensor of tensors) {
    const { name, dtype, shape } = tensor;
    const boxes = tensor.boxes.length === 0 ? [wholeOf(shape)] : tensor.boxes;
    for (const shard of new Set(boxes.map((_, i) => tensor.shards[i]!))) {
      const own = boxes.filter((_, i) => tensor.shards[i] === shard);
      const head = [delimited(1, name), delimited(2, shapeMessage(shape)), numeric(3, DTYPES[dtype].id)];
      metas[shard]!.push(message([...head, ...own.map((box) => delimited(4, sliceMessage(box)))]));
      for (const box of own) {
        const part = partOf(tensor, box);
        const proto = tensorProto({ ...part, dtype });
        const saved = [delimited(1, name), delimited(2, sliceMessage(box)), delimited(3, proto)];
        entries[shard]!.push([partKey(name, box), message([delimited(2, message(saved))])]);
      }
    }
  }
  return new Map(
    entries.map((own, i) => {
      const list = message([...metas[i]!.map((meta) => delimited(1, meta)), delimited(2, message([numeric(1, 1)]))]);
      const all: Entry[] = [[Buffer.alloc(0), message([delimited(1, list)])], ...own];
      return [shards === 1 ? prefix : `${prefix}-${digits(i)}-of-${digits(shards)}`, tableOf(all, layout)] as const;
    }),
  );
}

/** Values as lists of their type. */
function tensorProto({ dtype, shape, elements }: Pick<Saved, 'dtype' | 'shape' | 'elements'>): Buffer {
  const { id, list, write } = DTYPES[dtype];
  const head = [numeric(1, id), delimited(2, shapeMessage(shape))];
  if (dtype === 'string') return message([...head, ...elements.map((text) => delimited(list, String(text)))]);
  const isFixed = dtype === 'float' || dtype === 'double';
  const values = Buffer.concat(elements.map((x) => (isFixed ? write(x) : varint(BigInt(x)))));
  return message(values.length > 0 ? [...head, delimited(list, values)] : head);
}
