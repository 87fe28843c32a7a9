import { describe, expect, it } from 'vitest';
import { SHARD_BYTES, sharded } from '../../../src/formats/tfjs/shards.js';
import { DataType } from '../../../src/graph/dtype.js';
import { rawTensor, type Tensor } from '../../../src/graph/tensor.js';
import { concatBytes } from '../../../src/io/bytes.js';
import { bytesOf } from './support.js';

/** Bytes without a pattern that a wrong offset would hide. */
const bytes = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 255);

/** A tensor that gives its bytes in pieces, and counts how often it is read. */
function pieces(content: Uint8Array, size: number): Tensor & { reads: number } {
  const tensor = {
    ...rawTensor(DataType.DT_UINT8, [content.length], content),
    reads: 0,
    *chunks() {
      tensor.reads++;
      for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
    },
  };
  return tensor;
}

describe('files of weights', () => {
  it('are none without bytes', () => {
    expect(sharded([])).toEqual([]);
    expect(sharded([new Uint8Array(0)])).toEqual([]);
  });

  it('have 4 MiB each, also across weights, and are read once if they are read in order', () => {
    const large = pieces(bytes(2 * SHARD_BYTES + 12_345, 1), 1_000_003);
    const weights = [bytes(100, 2), large, bytes(77, 3), pieces(bytes(SHARD_BYTES, 4), 99_999)];
    const files = sharded(weights);
    expect(files.map(({ path }) => path)).toEqual([1, 2, 3, 4].map((i) => `group1-shard${i}of4.bin`));
    expect(files.map(({ encoded }) => encoded.byteLength)).toEqual([SHARD_BYTES, SHARD_BYTES, SHARD_BYTES, 12_522]);
    const all = concatBytes(files.map(bytesOf));
    const expected = concatBytes(
      weights.map((each) => (each instanceof Uint8Array ? each : concatBytes([...each.chunks()]))),
    );
    expect(Buffer.compare(all, expected)).toBe(0);
    // Once here, once there.
    expect(large.reads).toBe(2);
    // In any order, and again.
    expect(Buffer.compare(bytesOf(files[2]!), expected.subarray(2 * SHARD_BYTES, 3 * SHARD_BYTES))).toBe(0);
    expect(Buffer.compare(bytesOf(files[0]!), expected.subarray(0, SHARD_BYTES))).toBe(0);
  });

  it('end where the last file is full', () => {
    const [only, ...others] = sharded([bytes(SHARD_BYTES, 5)]);
    expect(others).toEqual([]);
    expect(only!.path).toBe('group1-shard1of1.bin');
    expect(bytesOf(only!)).toHaveLength(SHARD_BYTES);
  });
});
