import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { BnfixError } from '../errors.js';
import { type ByteSource, bufferFor, truncated } from './source.js';

/** Opening a named pipe must not wait for its writer; no effect on regular files. Windows does not have it. */
const READ_WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * A file that is read by position; nothing is kept in memory. Each read checks that the file is still the one that was
 * opened: bytes of two versions must not end up in one result.
 */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #changed: number;
  #fd: number;

  /** @throws BnfixError `unreadable` when the file cannot be opened, or is a pipe, a device or a folder */
  constructor(path: string) {
    try {
      this.#fd = openSync(path, READ_WITHOUT_WAITING);
    } catch (cause) {
      throw new BnfixError('unreadable', `cannot open ${path}`, {
        where: path,
        why: (cause as Error).message,
        fix: 'check the path and its permissions',
        cause,
      });
    }
    this.name = path;
    const stats = this.#stats();
    if (!stats.isFile()) {
      this.close();
      throw notRegular(path, stats);
    }
    this.size = stats.size;
    this.#changed = stats.mtimeMs;
  }

  /** The file descriptor; valid until the source is closed. */
  get fd(): number {
    return this.#fd;
  }

  read(offset: number, length: number): Uint8Array {
    // Checked before allocating: a corrupt length must not allocate gigabytes.
    if (offset < 0 || length < 0 || offset + length > this.size) throw truncated(this.name, this.size, offset, length);
    const target = bufferFor(this.name, length);
    this.readInto(target, offset);
    return target;
  }

  readInto(target: Uint8Array, offset: number): void {
    let done = 0;
    try {
      while (done < target.length) {
        const got = readSync(this.#fd, target, done, target.length - done, offset + done);
        if (got === 0) break;
        done += got;
      }
    } catch (cause) {
      throw cannotRead(this.name, cause);
    }
    this.assertUnchanged();
    if (done < target.length) throw truncated(this.name, this.size, offset, target.length);
  }

  /** @throws BnfixError `unreadable` when the file was written to since it was opened */
  assertUnchanged(): void {
    const { size, mtimeMs } = this.#stats();
    if (size === this.size && mtimeMs === this.#changed) return;
    throw new BnfixError('unreadable', `${this.name} changed while it was being read`, {
      where: this.name,
      why:
        size === this.size
          ? 'another program wrote to it'
          : `it had ${this.size} bytes when it was opened, and has ${size} now`,
      fix: 'wait until it is written (a training run may still be saving), or copy the model first; then run again',
    });
  }

  /** Closes the file; closing it again has no effect. */
  close(): void {
    const fd = this.#fd;
    this.#fd = -1;
    try {
      if (fd >= 0) closeSync(fd);
    } catch {
      // What was read was right.
    }
  }

  #stats(): Stats {
    try {
      return fstatSync(this.#fd);
    } catch (cause) {
      throw cannotRead(this.name, cause);
    }
  }
}

function cannotRead(path: string, cause: unknown): BnfixError {
  return new BnfixError('unreadable', `cannot read ${path}`, {
    where: path,
    why: (cause as Error).message,
    fix: 'check the disk; copy or download the file again',
    cause,
  });
}

/** The methods of node:fs's Stats that say what a path is; without types of Node.js, which public types must not need. */
interface FileType {
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

/** The error for a path whose bytes cannot be read by position. */
export function notRegular(path: string, stats: FileType): BnfixError {
  if (stats.isDirectory()) {
    return new BnfixError('unreadable', `${path} is a folder, not a file`, { where: path, fix: 'check the path' });
  }
  const kind = stats.isFIFO() ? 'a named pipe' : stats.isSocket() ? 'a socket' : 'a device';
  return new BnfixError('unreadable', `${path} is ${kind}, not a file`, {
    where: path,
    why: 'parts of a model are read several times and out of order, which only a regular file allows',
    fix: 'copy its contents into a file, and name that',
  });
}
