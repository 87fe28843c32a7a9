import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { BnfixError } from '../errors.js';
import { type ByteSource, truncated } from './source.js';

/** A file that is read by position; nothing is kept in memory. */
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
    // Checked before allocating: a corrupt length must not allocate gigabytes.
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

  /** Closes the file; closing it again has no effect. */
  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}
