// Tables of checkpoints (.index, and V1 files): read into blocks, and written again with right checksums.
import { compress, uncompress } from 'snappyjs';
import { crc32c } from '../../../dist/io/crc32c.js';
import { varintOf } from './wire.mjs';

const FOOTER_BYTES = 48;

function fixed32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

export function maskedCrc(bytes) {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function readVarints(bytes, count) {
  const values = [];
  let at = 0;
  while (values.length < count) {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (at >= bytes.length) return undefined;
      const byte = bytes[at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    values.push(value);
  }
  return { values, end: at };
}

/** A stored block with its type and checksum. */
export function trailed(contents, type = 0) {
  const stored = Buffer.concat([contents, Buffer.from([type])]);
  return Buffer.concat([stored, fixed32(maskedCrc(stored))]);
}

/** The entries [key (a byte string), value] of an uncompressed block. */
function entriesOf(block) {
  const restarts = block.readUInt32LE(block.length - 4);
  const end = block.length - 4 - 4 * restarts;
  const entries = [];
  let key = '';
  for (let at = 0; at < end; ) {
    const {
      values: [shared, rest, length],
      end: next,
    } = readVarints(block.subarray(at), 3);
    at += next;
    key = key.slice(0, shared) + block.subarray(at, at + rest).toString('latin1');
    entries.push([key, block.subarray(at + rest, at + rest + length)]);
    at += rest + length;
  }
  return entries;
}

/**
 * A table file: `blocks` with the position and length of each block (the last ones are metaindex and index), and all
 * `entries`; undefined if it is no table.
 */
export function readTable(bytes) {
  try {
    const footer = bytes.subarray(bytes.length - FOOTER_BYTES);
    const { values } = readVarints(footer, 4);
    const [metaAt, metaLength, indexAt, indexLength] = values;
    const read = (at, length) => {
      const stored = bytes.subarray(at, at + length);
      return bytes[at + length] === 1 ? Buffer.from(uncompress(stored)) : stored;
    };
    const handles = entriesOf(read(indexAt, indexLength)).map(([, value]) => readVarints(value, 2).values);
    const blocks = [...handles, [metaAt, metaLength], [indexAt, indexLength]].map(([at, length]) => ({ at, length }));
    return { blocks, entries: handles.flatMap(([at, length]) => entriesOf(read(at, length))) };
  } catch {
    return undefined;
  }
}

function blockOf(entries, restartEvery) {
  const parts = [];
  const restarts = [];
  let at = 0;
  let before = '';
  for (const [i, [key, value]] of entries.entries()) {
    let shared = 0;
    if (i % restartEvery === 0) restarts.push(at);
    else while (shared < Math.min(before.length, key.length) && before[shared] === key[shared]) shared++;
    const rest = Buffer.from(key.slice(shared), 'latin1');
    const entry = Buffer.concat([varintOf(shared), varintOf(rest.length), varintOf(value.length), rest, value]);
    parts.push(entry);
    at += entry.length;
    before = key;
  }
  if (restarts.length === 0) restarts.push(0);
  return Buffer.concat([...parts, ...restarts.map(fixed32), fixed32(restarts.length)]);
}

/** A table of these entries with right checksums. `corrupt(contents, kind)` may change a block before it is stored. */
export function writeTable(
  entries,
  { blockEntries = 50, restartEvery = 16, snappy = false, corrupt = (block) => block } = {},
) {
  const parts = [];
  let size = 0;
  const put = (contents, kind) => {
    const changed = corrupt(contents, kind);
    const stored = snappy ? Buffer.from(compress(changed)) : changed;
    const block = trailed(snappy ? corrupt(stored, 'snappy') : stored, snappy ? 1 : 0);
    parts.push(block);
    size += block.length;
    return Buffer.concat([varintOf(size - block.length), varintOf(block.length - 5)]);
  };
  const index = [];
  for (let i = 0; i < entries.length; i += blockEntries) {
    const some = entries.slice(i, i + blockEntries);
    index.push([some.at(-1)[0], put(blockOf(some, restartEvery), 'data')]);
  }
  const handles = Buffer.concat([put(blockOf([], 1), 'meta'), put(blockOf(index, 1), 'index')]);
  return Buffer.concat([...parts, handles, Buffer.alloc(40 - handles.length), Buffer.from('57fb808b247547db', 'hex')]);
}
