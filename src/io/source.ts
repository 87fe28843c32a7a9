import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { BnfixError } from '../errors.js';

/** Random access to bytes, wherever they are: the only I/O that readers know. */
export interface ByteSource {
  /** What to call it in messages: usually the path. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`, in a buffer of their own.
   * @throws BnfixError `unreadable` when the source ends before.
   */
  read(offset: number, length: number): Uint8Array;
  /** Fills `target` from `offset`: as {@link read}, without allocating. */
  readInto(target: Uint8Array, offset: number): void;
  close(): void;
}

function truncated(name: string, size: number, offset: number, length: number): BnfixError {
  return new BnfixError('unreadable', `${name} is truncated`, {
    where: name,
    why: `bytes ${offset} to ${offset + length} are needed, but the file ends at ${size}`,
    fix: 'copy or download the file again; its parts must come from the same save',
  });
}

/** A file, read by position; nothing is held in memory. */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  #fd: number;

  constructor(path: string) {
    try {
      this.#fd = openSync(path, 'r');
    } catch (cause) {
      throw new BnfixError('unreadable', `cannot open ${path}`, {
        where: path,
        why: (cause as Error).message,
        fix: 'check the path and its permissions',
        cause,
      });
    }
    const stat = fstatSync(this.#fd);
    this.name = path;
    this.size = stat.size;
  }

  read(offset: number, length: number): Uint8Array {
    // Checked before allocating: a corrupt length must not ask for gigabytes.
    if (offset < 0 || length < 0 || offset + length > this.size) throw truncated(this.name, this.size, offset, length);
    const target = new Uint8Array(length);
    this.readInto(target, offset);
    return target;
  }

  readInto(target: Uint8Array, offset: number): void {
    let done = 0;
    while (done < target.length) {
      let got: number;
      try {
        got = readSync(this.#fd, target, done, target.length - done, offset + done);
      } catch (cause) {
        throw new BnfixError('unreadable', `cannot read ${this.name}`, {
          where: this.name,
          why: (cause as Error).message,
          cause,
        });
      }
      if (got === 0) throw truncated(this.name, this.size, offset, target.length);
      done += got;
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** Bytes that are in memory already. */
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
    // Not slice(): that of a Buffer is a view.
    return new Uint8Array(this.#bytes.subarray(offset, offset + length));
  }

  readInto(target: Uint8Array, offset: number): void {
    if (offset < 0 || offset + target.length > this.size) {
      throw truncated(this.name, this.size, offset, target.length);
    }
    target.set(this.#bytes.subarray(offset, offset + target.length));
  }

  close(): void {}
}
