import { CHUNK_BYTES, ChunkRing } from '../../graph/chunk_ring.js';
import { type Box, boxShape } from '../../graph/slices.js';
import { elementCount } from '../../graph/tensor.js';
import { crc32c, unmaskCrc } from '../../io/crc32c.js';
import type { ByteSource } from '../../io/source.js';
import type { Piece } from './assemble.js';
import { corrupt } from './checkpoint_errors.js';
import { type Cursor, readVarint } from './cursor.js';

/** The location of a value according to the index of a V2 checkpoint. */
export interface StoredBytes {
  /** Number of the data file. */
  readonly shard: number;
  /** In bytes. */
  readonly offset: number;
  readonly size: number;
  /** Masked CRC-32C of the bytes in the file. */
  readonly maskedCrc: number;
}

/** How the bytes of a tensor are read. */
export interface BundleAccess {
  shard(): ByteSource;
  readonly bigEndian: boolean;
  /** Number of bytes to reverse to make values little-endian; 1 if they already are. */
  readonly swap: number;
}

const MAX_STRINGS_BYTES = 2 ** 31;

/** A value in a data file of a V2 checkpoint. */
export function bundlePiece(key: string, box: Box, stored: StoredBytes, access: BundleAccess): Piece {
  function* chunks(ring = new ChunkRing()): Generator<Uint8Array> {
    const shard = access.shard();
    let crc = 0;
    for (let done = 0; done < stored.size; ) {
      const position = stored.offset + done;
      const chunk = ring.next(Math.min(CHUNK_BYTES, stored.size - done), position);
      shard.readInto(chunk, position);
      // The checksum covers the bytes in the file's order.
      crc = crc32c(chunk, crc);
      done += chunk.length;
      if (done === stored.size) checkCrc(shard, key, stored, crc);
      swapBytes(chunk, access.swap);
      yield chunk;
    }
  }
  return {
    box,
    chunks,
    check: () => {
      for (const _ of chunks());
    },
    readInto: (target, offset) => {
      access.shard().readInto(target, stored.offset + offset);
      swapBytes(target, access.swap);
    },
    strings: () => readStrings(access, key, stored, elementCount(boxShape(box))),
  };
}

function checkCrc(shard: ByteSource, key: string, { offset, size, maskedCrc }: StoredBytes, crc: number): void {
  if (crc === unmaskCrc(maskedCrc)) return;
  const why = `bytes ${offset} to ${offset + size} of ${shard.name} do not match their checksum`;
  throw corrupt(shard.name, `the tensor ${key} has a wrong checksum`, why);
}

/** Reverses every `width` bytes, in place. */
function swapBytes(bytes: Uint8Array, width: number): void {
  if (width === 1) return;
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

/**
 * The values of a string tensor: the lengths as varints, a checksum of the lengths, the strings. Both checksums cover the
 * lengths as uint32 in the byte order of the machine that wrote them; the second also covers the first and the strings.
 * (Lengths from 2^32 on are uint64: they are beyond MAX_STRINGS_BYTES.)
 */
function readStrings(access: BundleAccess, key: string, stored: StoredBytes, elements: number): Uint8Array[] {
  const shard = access.shard();
  const what = `the tensor ${key}`;
  const malformed = (why: string) => corrupt(shard.name, `${what} is malformed`, why);
  if (elements === 0) return [];
  if (stored.size > MAX_STRINGS_BYTES || elements > stored.size) {
    throw malformed(`${stored.size} bytes cannot hold ${elements} strings`);
  }
  const bytes = shard.read(stored.offset, stored.size);
  const cursor: Cursor = { file: shard.name, what, bytes, at: 0, end: bytes.length };
  const lengths = Array.from({ length: elements }, () => readVarint(cursor));

  const start = cursor.at + 4;
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (start + total !== bytes.length)
    throw malformed(`its ${bytes.length} bytes do not match the lengths of its strings`);
  const lengthsCrc = crc32c(lengthBytes(lengths, access.bigEndian));
  const written = new DataView(bytes.buffer, bytes.byteOffset).getUint32(cursor.at, !access.bigEndian);
  if (lengthsCrc !== unmaskCrc(written)) {
    throw corrupt(shard.name, `${what} has a wrong checksum`, 'the lengths of its strings do not match their checksum');
  }
  checkCrc(shard, key, stored, crc32c(bytes.subarray(cursor.at), lengthsCrc));

  let at = start;
  return lengths.map((length) => {
    at += length;
    return bytes.subarray(at - length, at);
  });
}

function lengthBytes(lengths: readonly number[], bigEndian: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * lengths.length));
  for (const [i, length] of lengths.entries()) view.setUint32(4 * i, length, !bigEndian);
  return new Uint8Array(view.buffer);
}
