import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Encoded, FileOptions, PumpOptions, WriteOptions, WrittenBytes } from './encoded.js';
import { writeInPlace } from './in_place.js';
import { pump, refuseWhenStopped, writeAll } from './pump.js';
import { alreadyThere, checkTarget, errorCode, explainUnwritable, refuseWithoutSpace, type Target } from './target.js';
import { openTemporary, removeLeftovers } from './temporary.js';
import { verifyFile } from './verify_file.js';

/**
 * Writes a file atomically: to a temporary file in the same folder, which is renamed when it is complete.
 * Devices and named pipes are written in place.
 *
 * @throws BnfixError `unwritable` when it cannot be written, `interrupted` when the signal stops it, and any error of
 *   reading the chunks; then the temporary file is removed, and an existing file is unchanged.
 */
export async function writeFile(path: string, encoded: Encoded, options: FileOptions = {}): Promise<WrittenBytes> {
  const target = await checkTarget(path, options);
  try {
    return target.kind === 'file'
      ? await writeWhole(path, target, encoded, options)
      : await writeInPlace(target.path, encoded, options);
  } catch (error) {
    throw explainUnwritable(path, error);
  }
}

async function writeWhole(path: string, target: Target, encoded: Encoded, options: FileOptions): Promise<WrittenBytes> {
  await removeLeftovers(target.path);
  if (encoded.byteLength !== undefined) await refuseWithoutSpace(path, target.path, encoded.byteLength);
  const { temporary, written } = await writeTemporary(path, target.path, target.old, encoded, options);
  try {
    await options.beforeRename?.();
    refuseWhenStopped(options.signal);
    await publish(temporary, target.path, options.force ?? false);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  if (options.sync) await synchroniseFolder(dirname(target.path));
  return written;
}

/**
 * Writes a temporary file next to a target, and verifies it if that is requested.
 * @param path - its future name, for messages
 * @param old - the file that it is to replace
 */
export async function writeTemporary(
  path: string,
  target: string,
  old: Target['old'],
  encoded: Encoded,
  options: WriteOptions & PumpOptions,
): Promise<{ readonly temporary: string; readonly written: WrittenBytes }> {
  // Nobody else may read what replaces a private file, not even before it is complete.
  const { path: temporary, file } = await openTemporary(target, old ? old.mode & 0o600 : 0o666);
  try {
    if (old) await takeOver(file, old);
    return { temporary, written: await writeTo(path, temporary, file, encoded, options) };
  } catch (error) {
    await file.close().catch(() => {});
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

/** Writes all bytes to a new file, closes it, and verifies it if that is requested. @param path - its name, for messages */
export async function writeTo(
  path: string,
  temporary: string,
  file: FileHandle,
  encoded: Encoded,
  options: WriteOptions & PumpOptions,
): Promise<WrittenBytes> {
  const hashing = { ...options, sha256: options.sha256 === true || options.verifyWritten === true };
  const write = (chunk: Uint8Array) => writeAll(file, chunk);
  const written = options.sync ? await writeWithSync(encoded, file, hashing) : await pump(encoded, write, hashing);
  if (options.sync) await synchronise(() => file.sync());
  await file.close();
  if (options.verifyWritten) await verifyFile(path, temporary, written, options);
  return written;
}

/** Gives a file or folder the owners and permissions of the one that it replaces, as far as the system allows. */
export async function takeOver(file: FileHandle, { mode, uid, gid }: NonNullable<Target['old']>): Promise<void> {
  const own = await file.stat();
  let kept = mode;
  if (own.uid !== uid || own.gid !== gid) {
    const isGiven = await file.chown(uid, gid).then(
      () => true,
      () => false,
    );
    // Members of another group get what everybody gets.
    if (!isGiven && own.gid !== gid) kept &= 0o707 | ((mode & 0o007) << 3);
  }
  await file.chmod(kept);
}

/** Renames the file. Without `force`, does not replace a file that was created in the meantime. */
export async function publish(temporary: string, path: string, force: boolean): Promise<void> {
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

/** Number of bytes after which to start flushing to disk, instead of flushing everything at the end. */
const DISK_BYTES = 32 * 1024 * 1024;

/** Writes to a file while earlier bytes are being flushed to disk. */
async function writeWithSync(encoded: Encoded, file: FileHandle, options: PumpOptions): Promise<WrittenBytes> {
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

const CANNOT_SYNCHRONISE: ReadonlySet<string> = new Set(['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

async function synchronise(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!CANNOT_SYNCHRONISE.has(errorCode(error) ?? '')) throw error;
  }
}

/** Makes the new name survive a power failure; not every system can flush a folder. */
export async function synchroniseFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // The file itself is already on disk.
  }
}
