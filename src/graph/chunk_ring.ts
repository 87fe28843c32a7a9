/** Largest chunk that is read or passed on at once, in bytes: larger ones leave the processor's cache. */
export const CHUNK_BYTES = 2 * 1024 * 1024;

const PAGE_BYTES = 4096;
/** Below this size it does not matter where a buffer begins. */
const SMALL_BYTES = 64 * 1024;
/** What numbers and cache lines are aligned to. */
const LINE_BYTES = 64;

/** Two buffers that take turns, each made when it is first needed and kept. */
export class ChunkRing {
  readonly #buffers: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];
  #turn = 0;
  #source: ChunkRing | undefined;

  /** Another ring: for the chunks out of which those of this one are made. */
  get source(): ChunkRing {
    this.#source ??= new ChunkRing();
    return this.#source;
  }

  /**
   * A buffer of this size; it is overwritten by the second next one.
   *
   * @param position - where the bytes are in the file that it will be filled from. Copying out of the system's pages is
   *   four times slower on some processors when both lie at nearly the same place of their pages (Zen's `rep movsb`), as
   *   large buffers and files that are read in large chunks do: so the buffer begins half a page away from there.
   */
  next(length: number, position = 0): Uint8Array {
    const shift = length < SMALL_BYTES ? 0 : (position + PAGE_BYTES / 2) % PAGE_BYTES;
    const start = shift - (shift % LINE_BYTES);
    this.#turn = 1 - this.#turn;
    let buffer = this.#buffers[this.#turn]!;
    if (buffer.length < start + length) {
      // A small tensor that is read alone needs no more than its size; what grows will grow again.
      const size = buffer.length === 0 ? length : Math.max(length, CHUNK_BYTES);
      buffer = new Uint8Array(size < SMALL_BYTES ? size : PAGE_BYTES + size);
      this.#buffers[this.#turn] = buffer;
    }
    return buffer.subarray(start, start + length);
  }
}
