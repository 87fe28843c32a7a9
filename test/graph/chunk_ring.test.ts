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
