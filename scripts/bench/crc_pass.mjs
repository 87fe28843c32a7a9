// Reads a file once and prints its CRC-32C: what checking every weight costs by itself.
import { closeSync, openSync, readSync } from 'node:fs';
import { CHUNK_BYTES, ChunkRing } from '../../dist/graph/chunk_ring.js';
import { crc32c } from '../../dist/io/crc32c.js';

const file = openSync(process.argv[2]);
const ring = new ChunkRing();
let crc = 0;
let position = 0;
for (;;) {
  const buffer = ring.next(CHUNK_BYTES, position);
  const got = readSync(file, buffer, 0, buffer.length, position);
  if (got === 0) break;
  crc = crc32c(buffer.subarray(0, got), crc);
  position += got;
}
closeSync(file);
console.log(crc.toString(16));
