import { uncompress } from 'snappyjs';
import type { BnfixError } from '../../errors.js';
import { CHUNK_BYTES, ChunkRing } from '../../graph/chunk_ring.js';
import { byteString } from '../../io/bytes.js';
import { crc32c, unmaskCrc } from '../../io/crc32c.js';
import type { ByteSource } from '../../io/source.js';
import { corrupt } from './checkpoint_errors.js';
import { type Cursor, readVarint } from './cursor.js';

/**
 * The table format of LevelDB (doc/table_format.md), which TensorFlow uses for both checkpoint versions: sorted keys in
 * blocks, an index block with a key and a handle for each of them, and a footer with the position of the index.
 * Keys are byte strings, held as strings of the characters 0 to 255, so that `<` compares bytes.
 */
export interface Table {
  readonly source: ByteSource;
  readonly blocks: readonly DataBlock[];
  /** Large blocks whose checksum was verified. */
  readonly checked: Set<BlockHandle>;
}

/** Where a block is in the file. */
export interface BlockHandle {
  readonly offset: number;
  /** In bytes, without the trailer. */
  readonly size: number;
}

/** A block and the bounds of its keys: after < key <= upTo. */
export interface DataBlock extends BlockHandle {
  readonly after: string | undefined;
  readonly upTo: string;
}

/** A key of the table and its value. */
export interface TableEntry {
  readonly key: string;
  /** A view into the block. */
  readonly value: Uint8Array;
}

const FOOTER_BYTES = 48;
/** 0xdb4775248b80fb57, little-endian. */
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
/** One byte of compression type and four of checksum after each block. */
const TRAILER_BYTES = 5;
/** TensorFlow writes no value beyond 2 GiB; a block ends with the value that fills it. */
const MAX_BLOCK_BYTES = 2 ** 31 + 2 ** 24;
/** Keys share prefixes, but each 16th is whole: those of a block have a few times its bytes. */
const MAX_KEY_RATIO = 64;
/** A snappy copy of three bytes stands for at most 64. */
const SNAPPY_MAX_RATIO = 22;

/** Whether the source ends with the magic number of a table. */
export function hasTableMagic(source: ByteSource): boolean {
  if (source.size < FOOTER_BYTES) return false;
  const tail = source.read(source.size - MAGIC.length, MAGIC.length);
  return MAGIC.every((byte, i) => tail[i] === byte);
}

/**
 * Opens a table: its footer, index and metaindex are read and checked, its data blocks are not read yet.
 * @throws BnfixError `unreadable` when one of them is malformed, or when the blocks do not fill the file without gaps.
 */
export function openTable(source: ByteSource): Table {
  const { name } = source;
  if (!hasTableMagic(source)) {
    const why = `its ${source.size} bytes do not end with the magic number of a checkpoint table`;
    throw corrupt(name, `${name} is not a whole checkpoint table`, why);
  }
  const bytes = source.read(source.size - FOOTER_BYTES, FOOTER_BYTES - MAGIC.length);
  const footer: Cursor = { file: name, what: `the footer of ${name}`, bytes, at: 0, end: bytes.length };
  const metaindex = readHandle(footer);
  const index = readHandle(footer);
  if (bytes.subarray(footer.at).some((byte) => byte !== 0)) {
    throw corrupt(name, `${footer.what} is malformed`, 'its padding is not zero');
  }
  const blocks: DataBlock[] = [];
  for (const { key, value } of readBlock(source, index)) {
    blocks.push({ ...handleIn(source, value), after: blocks.at(-1)?.upTo, upTo: key });
  }
  const extras = readBlock(source, metaindex).map(({ value }) => handleIn(source, value));
  for (const extra of extras) readContents(source, extra);
  checkTiling(source, [...blocks, ...extras, metaindex, index]);
  return { source, blocks, checked: new Set() };
}

/** The entries of one block, in the order of their keys. */
export function readEntries({ source }: Table, block: DataBlock): TableEntry[] {
  const entries = readBlock(source, block);
  const [first, last] = [entries[0], entries.at(-1)];
  const inside = first && last && (block.after === undefined || first.key > block.after) && last.key <= block.upTo;
  if (!inside) throw corrupt(source.name, `${blockName(source, block)} is malformed`, 'its keys contradict the index');
  return entries;
}

/** All entries, in the order of their keys. */
export function* readTable(table: Table): Generator<TableEntry> {
  for (const block of table.blocks) yield* readEntries(table, block);
}

/** The value of a key; undefined where the table has no such key. */
export function lookUp(table: Table, key: string): Uint8Array | undefined {
  const block = blockOf(table, key);
  // A block ends with the value that fills it, however large: preceding entries can be read without it.
  const stored = block && block.size > CHUNK_BYTES ? locate(table, key) : undefined;
  if (!stored) return block && readEntries(table, block).find((entry) => entry.key === key)?.value;
  if (!table.checked.has(stored.block)) for (const _ of streamBlock(table, stored));
  return table.source.read(stored.offset, stored.size);
}

/** The block in which a key would be. */
function blockOf({ blocks }: Table, key: string): DataBlock | undefined {
  let [low, high] = [0, blocks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key <= blocks[middle]!.upTo) high = middle;
    else low = middle + 1;
  }
  return blocks[low];
}

/** Where a value is in the file of a table, uncompressed. */
export interface StoredValue {
  readonly block: BlockHandle;
  readonly offset: number;
  readonly size: number;
}

/**
 * The location of the value of a key, without reading the value and without checking anything.
 * @returns undefined if unknown: {@link lookUp} then returns the value, or reports the error
 */
export function locate(table: Table, key: string): StoredValue | undefined {
  const { source } = table;
  const block = blockOf(table, key);
  if (!block || block.size < 4) return undefined;
  const [compression] = source.read(block.offset + block.size, 1);
  if (compression !== 0) return undefined;
  const restarts = new DataView(source.read(block.offset + block.size - 4, 4).buffer).getUint32(0, true);
  const end = block.offset + block.size - 4 * (restarts + 1);
  let before = '';
  for (let at = block.offset; at < end; ) {
    const bytes = source.read(at, Math.min(ENTRY_HEAD_BYTES, end - at));
    const cursor: Cursor = { file: source.name, what: blockName(source, block), bytes, at: 0, end: bytes.length };
    const [shared, rest, size] = [readVarint(cursor), readVarint(cursor), readVarint(cursor)];
    const own = at + cursor.at;
    const offset = own + rest;
    if (shared > before.length || offset + size > end) return undefined;
    before = before.slice(0, shared) + byteString(source.read(own, rest));
    if (before === key) return { block, offset, size };
    at = offset + size;
  }
  return undefined;
}

/** Three varints of 64 bits. */
const ENTRY_HEAD_BYTES = 30;

/**
 * A value (or a part of it) in chunks. The rest of its block is read as well, since a block has one checksum: it is verified
 * after the last chunk, unless it already was.
 */
export function* streamBlock(
  { source, checked }: Table,
  { block, offset, size }: StoredValue,
  ring = new ChunkRing(),
): Generator<Uint8Array> {
  let crc = 0;
  const isChecked = checked.has(block);
  function* range(from: number, to: number, buffers: ChunkRing): Generator<Uint8Array> {
    for (let at = from; at < to; at += CHUNK_BYTES) {
      const chunk = buffers.next(Math.min(CHUNK_BYTES, to - at), at);
      source.readInto(chunk, at);
      if (!isChecked) crc = crc32c(chunk, crc);
      yield chunk;
    }
  }
  if (isChecked) {
    yield* range(offset, offset + size, ring);
    return;
  }
  const trailer = block.offset + block.size;
  // Bytes that are only checked have their own buffers: the previous chunk may still be being written.
  for (const _ of range(block.offset, offset, ring.source));
  yield* range(offset, offset + size, ring);
  for (const _ of range(offset + size, trailer + 1, ring.source));
  const expected = new DataView(source.read(trailer + 1, 4).buffer).getUint32(0, true);
  if (crc !== unmaskCrc(expected)) throw wrongChecksum(source, block);
  checked.add(block);
}

function wrongChecksum(source: ByteSource, block: BlockHandle): BnfixError {
  const what = `${blockName(source, block)} has a wrong checksum`;
  return corrupt(source.name, what, 'its bytes do not match their checksum');
}

function blockName(source: ByteSource, { offset }: BlockHandle): string {
  return `block at ${offset} of ${source.name}`;
}

function readHandle(cursor: Cursor): BlockHandle {
  return { offset: readVarint(cursor), size: readVarint(cursor) };
}

function handleIn({ name }: ByteSource, bytes: Uint8Array): BlockHandle {
  const cursor: Cursor = { file: name, what: `the index of ${name}`, bytes, at: 0, end: bytes.length };
  const handle = readHandle(cursor);
  if (cursor.at === cursor.end) return handle;
  throw corrupt(name, `${cursor.what} is malformed`, 'a block handle in it is too long');
}

/** Every byte before the footer must belong to one block, since others would never be checked. */
function checkTiling({ name, size }: ByteSource, blocks: readonly BlockHandle[]): void {
  let at = 0;
  for (const block of blocks.toSorted((a, b) => a.offset - b.offset)) {
    if (block.offset !== at) {
      throw corrupt(name, `the index of ${name} is malformed`, `a block starts at ${block.offset} instead of ${at}`);
    }
    at += block.size + TRAILER_BYTES;
  }
  if (at !== size - FOOTER_BYTES) {
    const why = `its blocks end at ${at}, its footer starts at ${size - FOOTER_BYTES}`;
    throw corrupt(name, `the index of ${name} is malformed`, why);
  }
}

/** Reads a block, verifies its checksum and decompresses it. */
function readContents(source: ByteSource, block: BlockHandle): Uint8Array {
  const what = blockName(source, block);
  // Before allocating: a malformed size must not allocate gigabytes.
  if (block.size > MAX_BLOCK_BYTES || block.offset + block.size + TRAILER_BYTES > source.size - FOOTER_BYTES) {
    throw corrupt(source.name, `${what} is malformed`, `its ${block.size} bytes do not fit into the file`);
  }
  const stored = source.read(block.offset, block.size + TRAILER_BYTES);
  const checked = stored.subarray(0, block.size + 1);
  const expected = unmaskCrc(new DataView(stored.buffer, stored.byteOffset).getUint32(block.size + 1, true));
  if (crc32c(checked) !== expected) throw wrongChecksum(source, block);
  const contents = stored.subarray(0, block.size);
  const compression = stored[block.size];
  if (compression === 0) return contents;
  if (compression !== 1) {
    throw corrupt(source.name, `${what} is malformed`, `its compression type ${compression} is unknown`);
  }
  try {
    return uncompress(contents, SNAPPY_MAX_RATIO * block.size);
  } catch (cause) {
    throw corrupt(source.name, `${what} cannot be decompressed`, (cause as Error).message, cause);
  }
}

/**
 * The entries of a block. Each key is stored as the length of the prefix it shares with the key before it, and the rest.
 * About every 16th is whole (a restart). The positions of restarts follow the entries, for seeking; not needed here.
 */
function readBlock(source: ByteSource, block: BlockHandle): TableEntry[] {
  const bytes = readContents(source, block);
  const what = blockName(source, block);
  const malformed = (why: string) => corrupt(source.name, `${what} is malformed`, why);
  if (bytes.length < 4) throw malformed('it has no restarts');
  const restarts = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(bytes.length - 4, true);
  const end = bytes.length - 4 * (restarts + 1);
  if (end < 0) throw malformed(`its ${restarts} restarts do not fit into it`);

  const entries: TableEntry[] = [];
  const cursor: Cursor = { file: source.name, what, bytes, at: 0, end };
  let key: string | undefined;
  let left = MAX_KEY_RATIO * bytes.length;
  while (cursor.at < end) {
    const shared = readVarint(cursor);
    const rest = readVarint(cursor);
    const length = readVarint(cursor);
    if (shared > (key ?? '').length) throw malformed('a key shares more bytes than the key before it has');
    if (rest + length > end - cursor.at) throw malformed('an entry does not fit into it');
    left -= shared + rest;
    if (left < 0) throw malformed('its keys are longer than the block');
    const own = byteString(bytes.subarray(cursor.at, cursor.at + rest));
    const next: string = (key ?? '').slice(0, shared) + own;
    if (key !== undefined && next <= key) throw malformed('its keys are not in order');
    entries.push({ key: next, value: bytes.subarray(cursor.at + rest, cursor.at + rest + length) });
    cursor.at += rest + length;
    key = next;
  }
  return entries;
}
