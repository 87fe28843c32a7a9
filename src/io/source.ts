import { BnfixError } from '../errors.js';

/**
 * Random access to bytes: the only input of the readers. Reads are synchronous; in a browser, use bytes in
 * memory or a FileReaderSync in a worker.
 */
export interface ByteSource {
  /** Its name in messages: usually the path. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`, in a new buffer.
   * @throws BnfixError `unreadable` when the source ends before them.
   */
  read(offset: number, length: number): Uint8Array;
  /** Fills `target` from `offset`, like {@link read} but without allocating. */
  readInto(target: Uint8Array, offset: number): void;
  /** Releases its resources; it must not be read afterwards. */
  close(): void;
}

/** The error for a read beyond the end of a source. */
export function truncated(name: string, size: number, offset: number, length: number): BnfixError {
  return new BnfixError('unreadable', `${name} is truncated`, {
    where: name,
    why: `bytes ${offset} to ${offset + length} are needed, but the file ends at ${size}`,
    fix: 'copy or download the file again; its parts must come from the same save',
  });
}

/** Bytes in memory. */
export class MemorySource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, name = '<memory>') {
    this.name = name;
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.size) throw truncated(this.name, this.size, offset, length);
    // Not slice(): Buffer's returns a view.
    return new Uint8Array(this.#bytes.subarray(offset, offset + length));
  }

  readInto(target: Uint8Array, offset: number): void {
    if (offset < 0 || offset + target.length > this.size) {
      throw truncated(this.name, this.size, offset, target.length);
    }
    target.set(this.#bytes.subarray(offset, offset + target.length));
  }

  /** Nothing to close. */
  close(): void {}
}
