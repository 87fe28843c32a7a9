import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { BnfixError } from '../errors.js';
import type { Encoded, PumpOptions, WriteOptions } from './encoded.js';
import { alreadyThere, checkTarget, errorCode, explainUnwritable, type Target } from './target.js';

/**
 * Writes a file atomically: to a temporary file in the same folder, which is renamed when it is complete.
 * Devices and named pipes are written in place.
 *
 * @returns the number of bytes
 * @throws BnfixError `unwritable` when it cannot be written, `interrupted` when the signal stops it, and any error of
 *   reading the chunks; then the temporary file is removed, and an existing file is unchanged.
 */
export async function writeFile(path: string, encoded: Encoded, options: WriteOptions = {}): Promise<number> {
  const target = await checkTarget(path, { ...options, byteLength: encoded.byteLength });
  try {
    return target.kind === 'file'
      ? await writeWhole(target, encoded, options)
      : await writeInPlace(target, encoded, options);
  } catch (error) {
    throw explainUnwritable(path, error);
  }
}

async function writeWhole(target: Target, encoded: Encoded, options: WriteOptions): Promise<number> {
  const folder = dirname(target.path);
  // A short name: the target's name plus a suffix could be too long. Opening it fails if it exists.
  const temporary = join(folder, `.bnfix-${Math.random().toString(36).slice(2, 12)}.tmp`);
  const file = await open(temporary, 'wx');
  try {
    const write = (chunk: Uint8Array) => writeAll(file, chunk);
    const written = options.sync ? await writeWithSync(encoded, file, options) : await pump(encoded, write, options);
    if (target.mode !== undefined) await file.chmod(target.mode);
    if (options.sync) await synchronise(() => file.sync());
    await file.close();
    refuseWhenStopped(options.signal);
    await publish(temporary, target.path, options.force ?? false);
    if (options.sync) await synchroniseFolder(folder);
    return written;
  } catch (error) {
    await file.close().catch(() => {});
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

async function writeInPlace(target: Target, encoded: Encoded, options: WriteOptions): Promise<number> {
  const file = await open(target.path, 'w');
  try {
    return await pump(encoded, (chunk) => writeAll(file, chunk), options);
  } finally {
    await file.close().catch(() => {});
  }
}

/** Renames the file. Without `force`, does not replace a file that was created in the meantime. */
async function publish(temporary: string, path: string, force: boolean): Promise<void> {
  if (force) return rename(temporary, path);
  try {
    await link(temporary, path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw alreadyThere(path);
    // A file system without hard links.
    return rename(temporary, path);
  }
  await unlink(temporary);
}

/**
 * Writes to a stream, respecting backpressure, and leaves it open.
 * @returns the number of bytes
 * @throws BnfixError `unwritable` when its reading end is closed, otherwise like {@link writeFile}
 */
export async function writeStream(
  stream: NodeJS.WritableStream,
  encoded: Encoded,
  options: PumpOptions & { readonly name?: string } = {},
): Promise<number> {
  const write = async (chunk: Uint8Array) => {
    await new Promise<void>((resolve, reject) => {
      stream.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
    // Writing to a pipe does not yield to the event loop by itself.
    await setImmediate();
  };
  const ignore = () => {};
  // The callback receives the error as well; without a listener it would end the process.
  stream.on('error', ignore);
  try {
    return await pump(encoded, write, options);
  } catch (error) {
    throw explainUnwritable(options.name ?? 'the output', error);
  } finally {
    stream.off('error', ignore);
  }
}

/**
 * Produces all bytes without writing them, to find all errors of reading.
 * @returns the number of bytes
 */
export function verifyPayloads(encoded: Encoded, options: PumpOptions = {}): Promise<number> {
  return pump(encoded, () => setImmediate(), options);
}

/** Number of bytes after which to start flushing to disk, instead of flushing everything at the end. */
const DISK_BYTES = 32 * 1024 * 1024;

/** Writes to a file while earlier bytes are being flushed to disk. */
async function writeWithSync(encoded: Encoded, file: FileHandle, options: PumpOptions): Promise<number> {
  let waiting = 0;
  let isBusy = false;
  let onItsWay = Promise.resolve();
  const write = async (chunk: Uint8Array) => {
    await writeAll(file, chunk);
    waiting += chunk.length;
    if (isBusy || waiting < DISK_BYTES) return;
    waiting = 0;
    isBusy = true;
    // The system reports a failure only once: keep the rejected promise, which is awaited below.
    onItsWay = synchronise(() => file.datasync()).then(() => {
      isBusy = false;
    });
    onItsWay.catch(() => {});
  };
  const written = await pump(encoded, write, options).finally(() => onItsWay.catch(() => {}));
  await onItsWay;
  return written;
}

/** Requests each chunk while the previous one is being written. */
async function pump(
  encoded: Encoded,
  write: (chunk: Uint8Array) => Promise<void>,
  { signal, onProgress }: PumpOptions,
): Promise<number> {
  let done = 0;
  let writing = Promise.resolve();
  const writeOn = async (chunk: Uint8Array) => {
    await write(chunk);
    done += chunk.length;
    onProgress?.(done);
  };
  try {
    for (const chunk of encoded.chunks()) {
      await writing;
      refuseWhenStopped(signal);
      writing = writeOn(chunk);
      // Whoever awaits it gets the error; until then it must not count as an unhandled rejection.
      writing.catch(() => {});
    }
  } finally {
    // Also after a read error, since the file is closed next.
    await writing;
  }
  refuseWhenStopped(signal);
  if (encoded.byteLength !== undefined && done !== encoded.byteLength) {
    throw new BnfixError('internal', `expected to write ${encoded.byteLength} bytes, got ${done}`);
  }
  return done;
}

function refuseWhenStopped(signal: PumpOptions['signal']): void {
  if (signal?.aborted) throw new BnfixError('interrupted', 'interrupted before the result was complete');
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at, chunk.length - at)).bytesWritten;
}

const CANNOT_SYNCHRONISE: ReadonlySet<string> = new Set(['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

async function synchronise(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!CANNOT_SYNCHRONISE.has(errorCode(error) ?? '')) throw error;
  }
}

/** Makes the new name survive a power failure; not every system can flush a folder. */
async function synchroniseFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // The file itself is already on disk.
  }
}
