/** Largest chunk that is read or passed on at once, in bytes: larger ones leave the processor's cache. */
export const CHUNK_BYTES = 2 * 1024 * 1024;

const PAGE_BYTES = 4096;
/** Below this size, the start address of a buffer does not matter. */
const SMALL_BYTES = 64 * 1024;
/** Alignment of numbers and cache lines. */
const LINE_BYTES = 64;

/** Two alternating buffers, each allocated on first use and kept. */
export class ChunkRing {
  readonly #buffers: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];
  #turn = 0;
  #source: ChunkRing | undefined;

  /** Another ring, for the source chunks from which the chunks of this one are computed. */
  get source(): ChunkRing {
    this.#source ??= new ChunkRing();
    return this.#source;
  }

  /**
   * A buffer of this size; the next but one overwrites it.
   *
   * @param position - the file position of the bytes that will fill it. On some processors (Zen's `rep movsb`), copying from
   *   the page cache is four times slower if source and target have nearly the same offset in their pages, as is typical of
   *   large buffers and large chunks: so the buffer starts half a page away from that offset.
   */
  next(length: number, position = 0): Uint8Array {
    const shift = length < SMALL_BYTES ? 0 : (position + PAGE_BYTES / 2) % PAGE_BYTES;
    const start = shift - (shift % LINE_BYTES);
    this.#turn = 1 - this.#turn;
    let buffer = this.#buffers[this.#turn]!;
    if (buffer.length < start + length) {
      // A small tensor needs no more than its size; a buffer that grew once will grow again.
      const size = buffer.length === 0 ? length : Math.max(length, CHUNK_BYTES);
      buffer = new Uint8Array(size < SMALL_BYTES ? size : PAGE_BYTES + size);
      this.#buffers[this.#turn] = buffer;
    }
    return buffer.subarray(start, start + length);
  }
}
