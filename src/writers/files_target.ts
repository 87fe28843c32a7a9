import { constants } from 'node:fs';
import { access, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, normalize, sep } from 'node:path';
import { cwd } from 'node:process';
import { BnfixError } from '../errors.js';
import type { FilesTarget, TargetOptions } from './encoded.js';
import {
  alreadyThere,
  checkTarget,
  endOfLinks,
  errorCode,
  explainUnwritable,
  ownersOf,
  refuseInputs,
  statOrNothing,
  type Target,
} from './target.js';

/** The target of several files, checked before anything is written. */
export interface CheckedFiles {
  /** The folder or the prefix; links are resolved. */
  readonly path: string;
  /** Files, or the folder, that the result replaces, and their permissions. */
  readonly replaced: ReadonlyMap<string, NonNullable<Target['old']>>;
}

/**
 * Checks that a result of several files may be written here.
 * @throws BnfixError `unwritable` for a file in place of a folder, a missing folder, an existing result without `force`, a folder
 *   with other files, an input file or no permission
 */
export async function checkFiles(target: FilesTarget, options: TargetOptions = {}): Promise<CheckedFiles> {
  try {
    if (target.kind === 'folder') return await checkFolder(target, options);
    if (target.kind === 'prefix') return await checkPrefix(target, options);
    const { path, old } = await checkTarget(target.path, options);
    return { path, replaced: new Map(old ? [[path, old]] : []) };
  } catch (error) {
    throw explainUnwritable(target.path, error);
  }
}

async function checkFolder(target: FilesTarget, options: TargetOptions): Promise<CheckedFiles> {
  const path = normalize(withoutSlash(target.path));
  try {
    return await checkFolderAt(path, target, options);
  } catch (error) {
    // Another run is replacing it.
    const isGone = errorCode(error) === 'ENOENT' && `${(error as NodeJS.ErrnoException).path}`.startsWith(path);
    if (!isGone) throw error;
    return checkFolder(target, options);
  }
}

async function checkFolderAt(path: string, target: FilesTarget, options: TargetOptions): Promise<CheckedFiles> {
  const stats = await statOrNothing(path);
  if (!stats || stats.isSymbolicLink()) {
    const free = stats ? await endOfLinks(path) : path;
    await access(dirname(free), constants.W_OK | constants.X_OK);
    return { path: free, replaced: new Map() };
  }
  if (!stats.isDirectory()) throw isNoFolder(path);
  const resolved = await realpath(path);
  if (`${cwd()}${sep}`.startsWith(resolved.endsWith(sep) ? resolved : `${resolved}${sep}`))
    throw isCurrentFolder(target);
  const own = await ownFiles(path, target);
  for (const file of own) await refuseInputs(file, await stat(file, { bigint: true }), options.inputs ?? []);
  // An empty folder has nothing to lose.
  if (own.length > 0 && !options.force) throw alreadyThere(path, 'DIR');
  await access(dirname(resolved), constants.W_OK | constants.X_OK);
  return { path: resolved, replaced: new Map([[resolved, ownersOf(stats)]]) };
}

/** The files in a folder that an earlier result may have left. @throws BnfixError `unwritable` when there are others */
async function ownFiles(folder: string, target: FilesTarget, below = ''): Promise<string[]> {
  const files: string[] = [];
  const others: string[] = [];
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const path = below + entry.name;
    if (!target.isOwn(entry.isDirectory() ? `${path}/` : path)) others.push(path);
    else if (entry.isDirectory()) files.push(...(await ownFiles(folder, target, `${path}/`)));
    else files.push(join(folder, path));
  }
  if (others.length > 0) throw hasOthers(folder, others, target);
  return files;
}

async function checkPrefix({ path, isOwn, main }: FilesTarget, options: TargetOptions): Promise<CheckedFiles> {
  const name = basename(path);
  if (name === '' || withoutSlash(path) !== path) throw isNoPrefix(path, main);
  const folder = await realpath(dirname(path));
  await access(folder, constants.W_OK | constants.X_OK);
  const replaced = new Map<string, NonNullable<Target['old']>>();
  for (const entry of await entriesOf(folder)) {
    if (!entry.startsWith(name) || !isOwn(entry.slice(name.length))) continue;
    const shown = join(dirname(path), entry);
    const stats = (await statOrNothing(join(folder, entry)))!;
    if (stats.isDirectory()) throw isNoFile(shown);
    await refuseInputs(shown, stats, options.inputs ?? []);
    if (!options.force) throw alreadyThere(shown, 'PREFIX');
    replaced.set(join(folder, entry), ownersOf(stats));
  }
  return { path: join(folder, name), replaced };
}

/** A folder that may be written to, but not listed, has nothing to replace as far as one can see. */
async function entriesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

function withoutSlash(path: string): string {
  return path.replace(/(?<=.)[/\\]+$/, '');
}

function hasOthers(folder: string, others: readonly string[], { main = '' }: FilesTarget): BnfixError {
  const shown = others.slice(0, 3).join(', ') + (others.length > 3 ? `, and ${others.length - 3} more` : '');
  return new BnfixError('unwritable', `${folder} contains other files`, {
    where: folder,
    why: [shown, 'the result is a folder of its own, which is replaced as a whole'],
    fix: { option: 'output', value: join(folder, 'model', main), text: 'makes a folder in it' },
  });
}

function isNoFolder(path: string): BnfixError {
  return new BnfixError('unwritable', `${path} is not a folder`, {
    where: path,
    why: 'the result is a folder with several files',
    fix: { option: 'output', value: 'DIR', text: 'names a new folder' },
  });
}

function isNoFile(path: string): BnfixError {
  return new BnfixError('unwritable', `${path} is not a regular file`, {
    where: path,
    fix: { option: 'output', value: 'PREFIX', text: 'chooses another name' },
  });
}

function isCurrentFolder({ path, main = '' }: FilesTarget): BnfixError {
  return new BnfixError('unwritable', `${path} is or contains the current folder`, {
    where: path,
    why: 'the result is a folder of its own, which is replaced as a whole',
    fix: { option: 'output', value: join(path, 'model', main), text: 'makes a folder in it' },
  });
}

function isNoPrefix(path: string, main = ''): BnfixError {
  return new BnfixError('unwritable', `${path} is a folder`, {
    where: path,
    why: 'the names of the files begin with what is given',
    fix: { option: 'output', value: join(path, 'model') + main, text: 'names files in it' },
  });
}
