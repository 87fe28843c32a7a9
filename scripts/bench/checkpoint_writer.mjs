// Writes V2 checkpoints (tensor_bundle.cc) of any size, a few MiB in memory: `prefix.index` and one data file.
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { crc32c, maskCrc } from '../../dist/io/crc32c.js';
import { tensorflow } from '../../dist/proto/tensorflow.js';

const DT_FLOAT = 1;
const BLOCK_BYTES = 4096;
const MAGIC = Buffer.from('57fb808b247547db', 'hex');

/** What fills a tensor: 4 MiB of numbers around `center`, again and again. */
function pattern(center, spread) {
  const values = new Float32Array(2 ** 20);
  let state = 12345;
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = center + spread * (state / 2 ** 31 - 1);
  }
  return Buffer.from(values.buffer);
}

/**
 * @param tensors - float tensors: { name, shape, center, spread }, in any order
 * @returns the bytes of the data file
 */
export function writeCheckpoint(prefix, tensors) {
  const file = openSync(`${prefix}.data-00000-of-00001`, 'w');
  const patterns = new Map();
  const entries = [];
  let offset = 0;
  for (const { name, shape, center, spread } of tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const key = `${center} ${spread}`;
    if (!patterns.has(key)) patterns.set(key, pattern(center, spread));
    const bytes = patterns.get(key);
    const size = 4 * shape.reduce((product, length) => product * length, 1);
    let crc = 0;
    for (let done = 0; done < size; done += bytes.length) {
      const chunk = bytes.subarray(0, Math.min(bytes.length, size - done));
      crc = crc32c(chunk, crc);
      writeSync(file, chunk);
    }
    const dims = { dim: shape.map((length) => ({ size: length })) };
    const entry = { dtype: DT_FLOAT, shape: dims, offset, size, crc32c: maskCrc(crc) };
    entries.push([name, tensorflow.BundleEntryProto.encode(entry).finish()]);
    offset += size;
  }
  closeSync(file);
  const header = tensorflow.BundleHeaderProto.encode({ num_shards: 1, version: { producer: 1 } }).finish();
  writeFileSync(`${prefix}.index`, table([['', header], ...entries]));
  return offset;
}

/** A LevelDB table (doc/table_format.md): every key whole, no compression. */
function table(entries) {
  const parts = [];
  let size = 0;
  const put = (contents) => {
    const stored = Buffer.concat([contents, Buffer.from([0])]);
    const handle = Buffer.concat([varint(size), varint(contents.length)]);
    parts.push(stored, fixed32(maskCrc(crc32c(stored))));
    size += stored.length + 4;
    return handle;
  };
  const index = [];
  let pending = [];
  let bytes = 0;
  for (const [i, [key, value]] of entries.entries()) {
    pending.push([key, value]);
    bytes += key.length + value.length;
    if (bytes < BLOCK_BYTES && i < entries.length - 1) continue;
    index.push([key, put(block(pending))]);
    pending = [];
    bytes = 0;
  }
  const handles = Buffer.concat([put(block([])), put(block(index))]);
  return Buffer.concat([...parts, handles, Buffer.alloc(40 - handles.length), MAGIC]);
}

function block(entries) {
  const parts = [];
  const restarts = [];
  let at = 0;
  for (const [key, value] of entries) {
    restarts.push(at);
    const entry = Buffer.concat([varint(0), varint(key.length), varint(value.length), Buffer.from(key), value]);
    parts.push(entry);
    at += entry.length;
  }
  if (restarts.length === 0) restarts.push(0);
  return Buffer.concat([...parts, ...restarts.map(fixed32), fixed32(restarts.length)]);
}

function varint(value) {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function fixed32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
