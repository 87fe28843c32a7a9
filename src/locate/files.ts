import { readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { didYouMean } from '../did_you_mean.js';
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

/** Names of the files in a folder, sorted; empty if the folder does not exist. */
export function filesIn(folder: string): string[] {
  if (!isFolder(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  return names.filter((name) => isFile(inFolder(folder, name))).sort();
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

/** The error for a path at which there is no file. */
export function notFound(path: string): BnfixError {
  const stats = stat(path);
  if (stats && !stats.isDirectory() && !stats.isFile()) return notRegular(path, stats);
  const folder = folderOf(path);
  if (!isFolder(folder)) {
    return new BnfixError('unreadable', `${path} not found`, {
      where: path,
      why: `folder ${folder} not found`,
      fix: 'check the path',
    });
  }
  const names = readdirSync(folder).sort();
  const stems = names.map((name) => name.replace(/(\.meta|\.index|\.data-\d{5}-of-\d{5}|-\d{5}-of-\d{5})$/, ''));
  const near = didYouMean(nameOf(path), new Set([...names, ...stems].filter((name) => name !== '')));
  return new BnfixError('unreadable', `${path} not found`, {
    where: path,
    why: 'it is neither a file, a folder nor the prefix of a checkpoint',
    fix: near ?? `the folder contains: ${names.slice(0, 10).join(', ') || 'no files'}`,
  });
}
