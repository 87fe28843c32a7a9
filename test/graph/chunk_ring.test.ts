import { expect, it } from 'vitest';
import { CHUNK_BYTES, ChunkRing } from '../../src/graph/chunk_ring.js';

it('leaves a chunk alone until the second next one', () => {
  const ring = new ChunkRing();
  const chunks = [1, 2].map((value) => ring.next(8).fill(value));
  expect([...chunks[0]!]).toEqual(new Array(8).fill(1));
  ring.next(8).fill(3);
  expect([...chunks[0]!]).toEqual(new Array(8).fill(3));
  expect([...chunks[1]!]).toEqual(new Array(8).fill(2));
});

it('begins away from where the bytes are in their page, aligned for numbers', () => {
  const ring = new ChunkRing();
  const starts = [0, 1, 2048, 2100, 4095].map((position) => ring.next(CHUNK_BYTES, position).byteOffset);
  expect(starts).toEqual([2048, 2048, 0, 0, 2048 - 64]);
});

it('has buffers of the size that is asked for, and keeps them', () => {
  const ring = new ChunkRing();
  expect(ring.next(5)).toHaveLength(5);
  expect(ring.next(CHUNK_BYTES + 3)).toHaveLength(CHUNK_BYTES + 3);
  expect(ring.next(9)).toHaveLength(9);
  const again = ring.next(CHUNK_BYTES);
  expect(again).toHaveLength(CHUNK_BYTES);
  ring.next(1);
  expect(ring.next(1).buffer).toBe(again.buffer);
});
