import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
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
  return accessing(path, () => statSync(path, { throwIfNoEntry: false }));
}

/** A path with all symbolic links resolved. @throws BnfixError `unreadable` when it cannot be accessed */
export function realPath(path: string): string {
  return accessing(path, () => realpathSync(path));
}

function accessing<T>(path: string, access: () => T): T {
  try {
    return access();
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

/** The entries of a folder, in the order of their names. @throws BnfixError `unreadable` when it cannot be listed */
export function entriesOf(folder: string): Dirent[] {
  const entries = accessing(folder, () => readdirSync(folder, { withFileTypes: true }));
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Names of the files in a folder, sorted; empty if the folder does not exist. */
export function filesIn(folder: string): string[] {
  if (!isFolder(folder)) return [];
  const entries = entriesOf(folder).filter((entry) => !entry.isDirectory());
  // Only a link does not show what it is.
  return entries.filter((entry) => entry.isFile() || leadsToFile(inFolder(folder, entry.name))).map(({ name }) => name);
}

/** Whether a link leads to a file: one that leads in a circle, or into a folder without permission, does not. */
function leadsToFile(link: string): boolean {
  try {
    return isFile(link);
  } catch {
    return false;
  }
}

/** Number of files and folders in a folder. */
export function entriesIn(folder: string): number {
  return entriesOf(folder).length;
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
