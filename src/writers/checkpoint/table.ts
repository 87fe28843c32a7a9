import { concatBytes, fixed32 } from '../../io/bytes.js';
import { crc32c, maskCrc } from '../../io/crc32c.js';
import { varint } from '../../io/varint.js';
import { BlockBuilder, sharedLength } from './block.js';

/** An entry of a table. */
export interface Entry {
  /** A byte string: one character from 0 to 255 per byte. */
  readonly key: string;
  readonly value: Uint8Array;
}

/** As in TensorFlow's table_options.h: a block ends with the entry that fills it. */
const BLOCK_BYTES = 262_144;
const RESTART_EVERY = 16;
/** Offset and size of two blocks, padded. */
const HANDLES_BYTES = 40;
/** 0xdb4775248b80fb57, little-endian. */
const MAGIC = Uint8Array.of(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb);

/**
 * A table as LevelDB and TensorFlow write it, uncompressed, a block at a time: blocks with entries, an empty metaindex, an
 * index with a key and a handle for each block, and a footer.
 * @param entries - sorted by key, which are distinct
 * @param blockBytes - size that ends a block
 */
export function* encodeTable(entries: Iterable<Entry>, blockBytes = BLOCK_BYTES): Generator<Uint8Array> {
  let offset = 0;
  const stored = (contents: Uint8Array) => {
    const handle = concatBytes([varint(offset), varint(contents.length)]);
    const bytes = withTrailer(contents);
    offset += bytes.length;
    return { bytes, handle };
  };
  const index = new BlockBuilder(1);
  let block = new BlockBuilder(RESTART_EVERY);
  let last: string | undefined;
  // The key of a full block in the index depends on the key after it.
  let full: Uint8Array | undefined;
  for (const { key, value } of entries) {
    if (full) index.add(separator(last!, key), full);
    full = undefined;
    block.add(key, value);
    last = key;
    if (block.byteLength < blockBytes) continue;
    const { bytes, handle } = stored(block.finish());
    yield bytes;
    full = handle;
    block = new BlockBuilder(RESTART_EVERY);
  }
  if (last !== undefined && !full) {
    const { bytes, handle } = stored(block.finish());
    yield bytes;
    full = handle;
  }
  const metaindex = stored(new BlockBuilder(RESTART_EVERY).finish());
  yield metaindex.bytes;
  if (full) index.add(successor(last!), full);
  const indexBlock = stored(index.finish());
  yield indexBlock.bytes;
  const handles = concatBytes([metaindex.handle, indexBlock.handle]);
  yield concatBytes([handles, new Uint8Array(HANDLES_BYTES - handles.length), MAGIC]);
}

const UNCOMPRESSED = Uint8Array.of(0);

/** A block, its type of compression, and the checksum of both. */
function withTrailer(contents: Uint8Array): Uint8Array {
  const crc = crc32c(UNCOMPRESSED, crc32c(contents));
  return concatBytes([contents, UNCOMPRESSED, fixed32(maskCrc(crc))]);
}

/** A short key that is not before `last`, but before `next`: FindShortestSeparator of table_builder.cc. */
function separator(last: string, next: string): string {
  const at = sharedLength(last, next);
  if (at >= last.length || at >= next.length) return last;
  const byte = last.charCodeAt(at);
  return byte + 1 < next.charCodeAt(at) ? last.slice(0, at) + String.fromCharCode(byte + 1) : last;
}

/** A short key that is not before `last`: FindShortSuccessor. */
function successor(last: string): string {
  for (let at = 0; at < last.length; at++) {
    const byte = last.charCodeAt(at);
    if (byte < 255) return last.slice(0, at) + String.fromCharCode(byte + 1);
  }
  return last;
}
