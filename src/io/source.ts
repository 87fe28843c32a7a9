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

/** Protobuf messages have at most 2 GiB (as in TensorFlow), as has what a block of a checkpoint holds besides. */
const MAX_READ_BYTES = 2 ** 31 + 2 ** 25;

/**
 * A buffer for bytes that are needed at once.
 * @throws BnfixError `unreadable` when they are more than any message has, or more than there is memory for
 */
export function bufferFor(name: string, length: number): Uint8Array {
  try {
    if (length <= MAX_READ_BYTES) return new Uint8Array(length);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
  }
  throw new BnfixError('unreadable', `${name} needs ${length} bytes in memory at once`, {
    where: name,
    why: `a part of it claims that size; a protobuf message has at most ${2 ** 31} bytes`,
    fix: 'the file is corrupt, or too large for this machine',
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
