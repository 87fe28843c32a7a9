import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileOptions, FilesTarget, ResultFile, WrittenFile } from './encoded.js';
import { exchange, type Finished, giveToFile, giveToFolder } from './exchange.js';
import { synchroniseFolder, takeOver, writeFile, writeTemporary, writeTo } from './file.js';
import { type CheckedFiles, checkFiles } from './files_target.js';
import { exclusively } from './lock.js';
import { refuseWhenStopped } from './pump.js';
import { explainUnwritable, refuseWithoutSpace } from './target.js';
import { makeTemporary, removeLeftovers, removeTemporary } from './temporary.js';

/**
 * Writes a result of one or several files: all of them get their names when all are complete, or none does.
 *
 * @param files - in the order in which they are written and named; the file that makes the others a model comes last
 * @throws BnfixError like `writeFile`; then the temporary files are removed, and an existing result is unchanged
 */
export async function writeFiles(
  target: FilesTarget,
  files: readonly ResultFile[],
  options: FileOptions = {},
): Promise<WrittenFile[]> {
  if (target.kind === 'file') {
    return [{ path: target.path, ...(await writeFile(target.path, files[0]!.encoded, options)) }];
  }
  try {
    // What a killed run was about to replace is put back before it is checked.
    const { path } = await checkFiles(target, { ...options, force: true });
    await removeLeftovers(path, target.kind === 'prefix' ? path + files.at(-1)!.path : path);
    const checked = await checkFiles(target, options);
    await refuseWithoutSpace(target.path, checked.path, totalBytes(files));
    const writeAll = target.kind === 'folder' ? writeFolder : writePrefix;
    const written = await writeAll(target, checked, files, options);
    if (options.sync) await synchroniseFolder(dirname(checked.path));
    return written;
  } catch (error) {
    throw explainUnwritable(target.path, error);
  }
}

/** Bytes of all files whose size is known in advance. */
export function totalBytes(files: readonly ResultFile[]): number {
  return files.reduce((sum, { encoded }) => sum + (encoded.byteLength ?? 0), 0);
}

async function writeFolder(
  target: FilesTarget,
  checked: CheckedFiles,
  files: readonly ResultFile[],
  options: FileOptions,
): Promise<WrittenFile[]> {
  const old = checked.replaced.get(checked.path);
  const temporary = await makeTemporary(checked.path, old ? old.mode & 0o700 : 0o777);
  try {
    if (old) await takeOverFolder(temporary, old);
    const written: WrittenFile[] = [];
    for (const { path, encoded } of files) {
      const within = join(temporary, path);
      await mkdir(dirname(within), { recursive: true });
      const file = await open(within, 'wx+');
      const name = join(target.path, path);
      try {
        written.push({ path: name, ...(await writeTo(name, within, file, encoded, countingOn(written, options))) });
      } finally {
        await file.close().catch(() => {});
      }
    }
    if (options.sync) {
      for (const folder of new Set(files.map(({ path }) => dirname(join(temporary, path)))))
        await synchroniseFolder(folder);
      await synchroniseFolder(temporary);
    }
    await options.beforeRename?.();
    refuseWhenStopped(options.signal);
    await publish(target, checked.path, [{ temporary, path: checked.path }], giveToFolder, options);
    return written;
  } catch (error) {
    await removeTemporary(temporary);
    throw error;
  }
}

async function takeOverFolder(folder: string, old: NonNullable<ReturnType<CheckedFiles['replaced']['get']>>) {
  // Not every system opens folders.
  const handle = await open(folder, 'r').catch(() => undefined);
  if (handle) await takeOver(handle, old).finally(() => handle.close());
}

async function writePrefix(
  target: FilesTarget,
  { path: prefix, replaced }: CheckedFiles,
  files: readonly ResultFile[],
  options: FileOptions,
): Promise<WrittenFile[]> {
  const finished: Finished[] = [];
  const written: WrittenFile[] = [];
  try {
    for (const { path, encoded } of files) {
      const [name, resolved] = [target.path + path, prefix + path];
      const each = await writeTemporary(name, prefix, replaced.get(resolved), encoded, countingOn(written, options));
      finished.push({ temporary: each.temporary, path: resolved });
      written.push({ path: name, ...each.written });
    }
    await options.beforeRename?.();
    refuseWhenStopped(options.signal);
    await publish(target, prefix, finished, giveToFile, options);
    return written;
  } catch (error) {
    for (const { temporary } of finished) await removeTemporary(temporary);
    throw error;
  }
}

/** Gives everything its name, in place of what is there by now: another run may have written the same files meanwhile. */
function publish(
  target: FilesTarget,
  path: string,
  finished: readonly Finished[],
  give: (each: Finished) => Promise<void>,
  options: FileOptions,
): Promise<void> {
  return exclusively(path, async () => {
    const { replaced } = await checkFiles(target, options);
    const isMain = (each: string) => Number(each === finished.at(-1)!.path);
    const all = [...replaced.keys()].sort((a, b) => isMain(a) - isMain(b));
    await exchange(path, all, finished, give);
  });
}

/** The same options, with a progress that goes on from the files that are already written. */
function countingOn(written: readonly WrittenFile[], options: FileOptions): FileOptions {
  const { onProgress } = options;
  if (onProgress === undefined) return options;
  const before = written.reduce((sum, { bytes }) => sum + bytes, 0);
  return { ...options, onProgress: (bytes) => onProgress(before + bytes) };
}
