import { readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { BnfixError } from '../errors.js';
import { FileSource, notRegular } from '../io/file_source.js';
import { type FileKind, sniff } from '../readers/sniff.js';

/** Whether a path is a file. @throws BnfixError `unreadable` when it cannot be checked */
export function isFile(path: string): boolean {
  return stat(path)?.isFile() ?? false;
}

/** Whether a path is a folder. @throws BnfixError `unreadable` when it cannot be checked */
export function isFolder(path: string): boolean {
  return stat(path)?.isDirectory() ?? false;
}

function stat(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw new BnfixError('unreadable', `cannot access ${path}`, {
      where: path,
      why: (cause as Error).message,
      fix: 'check the path and its permissions',
      cause,
    });
  }
}

/** @throws BnfixError `unreadable` for a device, a pipe or a socket */
export function refuseDevice(path: string): void {
  const stats = stat(path);
  if (stats && !stats.isDirectory() && !stats.isFile()) throw notRegular(path, stats);
}

/** Names of the files in a folder, sorted; empty if the folder does not exist. */
export function filesIn(folder: string): string[] {
  if (!isFolder(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  return names.filter((name) => isFile(inFolder(folder, name))).sort();
}

/** Number of files and folders in a folder. */
export function entriesIn(folder: string): number {
  return readdirSync(folder).length;
}

/**
 * Joins a folder and a name. Unlike path.join it keeps an empty name: the prefix of a checkpoint with the files `.index`
 * and `.data-...`.
 */
export function inFolder(folder: string, name: string): string {
  if (folder === '.' && name !== '') return name;
  return folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;
}

/** The folder of a prefix: of `model/` it is `model`. */
export function folderOf(prefix: string): string {
  return prefix.endsWith('/') ? prefix.slice(0, -1) || '/' : dirname(prefix);
}

/** The name of a prefix in its folder: of `model/` it is empty. */
export function nameOf(prefix: string): string {
  return prefix.endsWith('/') ? '' : basename(prefix);
}

/** The type of a file, detected from its content. @throws BnfixError `unreadable` when it cannot be read */
export function sniffFile(path: string): FileKind {
  const source = new FileSource(path);
  try {
    return sniff(source);
  } finally {
    source.close();
  }
}
