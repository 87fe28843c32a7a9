/** Largest chunk that is read or handed on at once, in bytes: larger ones leave the processor's cache. */
export const CHUNK_BYTES = 2 * 1024 * 1024;

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

  /** A buffer of this size; it is overwritten by the second next one. */
  next(length: number): Uint8Array {
    this.#turn = 1 - this.#turn;
    let buffer = this.#buffers[this.#turn]!;
    if (buffer.length < length) {
      // A small tensor that is read alone needs no more than its size; what grows will grow again.
      buffer = new Uint8Array(buffer.length === 0 ? length : Math.max(length, CHUNK_BYTES));
      this.#buffers[this.#turn] = buffer;
    }
    return buffer.subarray(0, length);
  }
}
