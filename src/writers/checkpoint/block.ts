import { bytesOfString, concatBytes, fixed32 } from '../../io/bytes.js';
import { varint } from '../../io/varint.js';

/**
 * A block of a table (LevelDB's doc/table_format.md): its entries in the order of their keys, then the positions of restarts
 * and their number. A key is stored as the length of what it shares with the key before it, and the rest; each key at a
 * restart is whole.
 */
export class BlockBuilder {
  readonly #restartEvery: number;
  readonly #parts: Uint8Array[] = [];
  readonly #restarts = [0];
  #size = 0;
  #sinceRestart = 0;
  #last = '';

  /** @param restartEvery - number of keys from one restart to the next */
  constructor(restartEvery: number) {
    this.#restartEvery = restartEvery;
  }

  /** Size of the block so far, in bytes. */
  get byteLength(): number {
    return this.#size + 4 * (this.#restarts.length + 1);
  }

  /** Adds an entry. @param key - a byte string, after all that were added before */
  add(key: string, value: Uint8Array): void {
    if (this.#sinceRestart === this.#restartEvery) {
      this.#restarts.push(this.#size);
      this.#sinceRestart = 0;
    }
    const shared = this.#sinceRestart === 0 ? 0 : sharedLength(this.#last, key);
    const own = bytesOfString(key.slice(shared));
    for (const part of [varint(shared), varint(own.length), varint(value.length), own, value]) {
      this.#parts.push(part);
      this.#size += part.length;
    }
    this.#sinceRestart++;
    this.#last = key;
  }

  /** The bytes of the block, without its trailer. */
  finish(): Uint8Array {
    return concatBytes([...this.#parts, ...this.#restarts.map(fixed32), fixed32(this.#restarts.length)]);
  }
}

/** How many characters two strings have in common at the start. */
export function sharedLength(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < limit && a.charCodeAt(shared) === b.charCodeAt(shared)) shared++;
  return shared;
}
