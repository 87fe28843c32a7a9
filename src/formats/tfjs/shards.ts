import type { Tensor } from '../../graph/tensor.js';
import type { ResultFile } from '../../writers/encoded.js';
import { joinPieces } from '../../writers/graph_def.js';

/** Size of all files with weights but the last, in bytes: browsers cache files up to this size. */
export const SHARD_BYTES = 4 * 1024 * 1024;

/**
 * The weights, one after the other, in files of equal size: a weight may begin in one and end in another.
 * @returns the files in order; none if there are no bytes
 */
export function sharded(weights: readonly (Uint8Array | Tensor)[]): ResultFile[] {
  const total = weights.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const count = Math.ceil(total / SHARD_BYTES);
  const stream = new ByteStream(() => joinPieces(weights));
  return Array.from({ length: count }, (_, i) => {
    const start = i * SHARD_BYTES;
    const byteLength = Math.min(SHARD_BYTES, total - start);
    const encoded = { byteLength, chunks: () => stream.range(start, byteLength) };
    return { path: `group1-shard${i + 1}of${count}.bin`, encoded };
  });
}

/** Bytes that can only be read from the beginning: ranges that are asked for in order are read in one go. */
class ByteStream {
  readonly #open: () => Iterable<Uint8Array>;
  #chunks: Iterator<Uint8Array> | undefined;
  #position = 0;
  /** What was read beyond the last range. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(open: () => Iterable<Uint8Array>) {
    this.#open = open;
  }

  /** The bytes from `start` on. A chunk is valid until the next but one is requested. */
  *range(start: number, length: number): Generator<Uint8Array> {
    if (start < this.#position || !this.#chunks) {
      this.#chunks = this.#open()[Symbol.iterator]();
      this.#position = 0;
      this.#rest = new Uint8Array(0);
    }
    for (const end = start + length; this.#position < end; ) {
      const chunk = this.#next();
      if (chunk === undefined) return;
      const from = Math.max(0, start - this.#position);
      const to = Math.min(chunk.length, end - this.#position);
      this.#position += to;
      this.#rest = chunk.subarray(to);
      if (from < to) yield chunk.subarray(from, to);
    }
  }

  #next(): Uint8Array | undefined {
    if (this.#rest.length > 0) return this.#rest;
    const next = this.#chunks!.next();
    return next.done ? undefined : next.value;
  }
}
