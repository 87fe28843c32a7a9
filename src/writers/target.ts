import { type BigIntStats, constants, existsSync } from 'node:fs';
import { access, lstat, readlink, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { BnfixError, type ErrorDetail } from '../errors.js';
import { shellQuoted } from '../quoted.js';
import type { TargetOptions } from './encoded.js';

/** The target of a result, checked before anything is written. */
export interface Target {
  /** `stream` is a device or a named pipe, which is written in place. */
  readonly kind: 'file' | 'stream';
  /** Links are resolved: their target is replaced, not the link. */
  readonly path: string;
  /** Permissions and owners of the replaced file; undefined for a new file. */
  readonly old: { readonly mode: number; readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Checks that a file may be written here.
 * @throws BnfixError `unwritable` for a folder, a missing folder, an existing file without `force`, an input file or no
 *   permission
 */
export async function checkTarget(path: string, options: TargetOptions = {}): Promise<Target> {
  try {
    const stats = await statOrNothing(path);
    if (stats?.isDirectory() || /[/\\]$/.test(path)) throw isFolder(path, stats !== undefined);
    const isLost = stats?.isSymbolicLink();
    if (stats && !isLost && !stats.isFile()) return { kind: 'stream', path, old: undefined };
    if (stats) {
      await refuseInputs(path, stats, options.inputs ?? []);
      if (!options.force) throw alreadyThere(path);
    }
    const resolved = isLost ? await endOfLinks(path) : stats ? await realpath(path) : path;
    await access(dirname(resolved), constants.W_OK | constants.X_OK);
    const old = isLost || !stats ? undefined : ownersOf(stats);
    return { kind: 'file', path: resolved, old };
  } catch (error) {
    throw explainUnwritable(path, error);
  }
}

/** File numbers exceed 2^53 on some systems: as bigint. */
export async function statOrNothing(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    // A dangling link counts as an existing file: do not replace it without `force`.
    return lstat(path, { bigint: true }).catch(() => undefined);
  }
}

/** Permissions and owners. */
export function ownersOf({ mode, uid, gid }: BigIntStats): NonNullable<Target['old']> {
  return { mode: Number(mode & 0o777n), uid: Number(uid), gid: Number(gid) };
}

/** The path at which a dangling link, or a chain of them, ends. The system has refused loops before. */
export async function endOfLinks(path: string): Promise<string> {
  const folder = await realpath(dirname(path));
  const next = await readlink(path).catch(() => undefined);
  return next === undefined ? join(folder, basename(path)) : endOfLinks(resolve(folder, next));
}

/** @throws BnfixError `unwritable` when a file is one of the inputs, by whatever name */
export async function refuseInputs(path: string, target: BigIntStats, inputs: readonly string[]): Promise<void> {
  for (const input of inputs) {
    const stats = await stat(input, { bigint: true }).catch(() => undefined);
    if (stats?.ino !== target.ino || stats.dev !== target.dev) continue;
    throw new BnfixError('unwritable', `${path} is one of the input files`, {
      where: path,
      why: input === path ? 'the model is read from it' : `it is the same file as ${input}`,
      fix: { option: 'output', value: 'FILE', text: 'chooses another name for the result' },
    });
  }
}

/** @throws BnfixError `unwritable` when the file system of a target has less space than the result needs */
export async function refuseWithoutSpace(path: string, resolved: string, needed: number): Promise<void> {
  const folder = dirname(resolved);
  // Some network file systems do not report it.
  const space = await statfs(folder).catch(() => undefined);
  if (!space || space.blocks === 0) return;
  const free = space.bavail * space.bsize;
  if (free >= needed) return;
  throw new BnfixError('unwritable', `not enough space for ${path}`, {
    where: folder,
    why: `it needs ${needed} bytes; ${free} are free`,
    fix: ['free some space', { option: 'output', value: 'FILE', text: 'writes to another disk' }],
  });
}

/** The error for what would be overwritten. @param value - what the option output names: a file, a folder */
export function alreadyThere(path: string, value = 'FILE'): BnfixError {
  return new BnfixError('unwritable', `${path} already exists`, {
    where: path,
    fix: [
      { option: 'force', text: 'overwrites it' },
      { option: 'output', value, text: 'chooses another name' },
    ],
  });
}

function isFolder(path: string, isThere: boolean): BnfixError {
  return new BnfixError('unwritable', `${path} ${isThere ? 'is' : 'names'} a folder`, {
    where: path,
    why: 'the result is one file',
    fix: [
      { option: 'output', value: join(path, 'frozen.pb'), text: 'names a file in it' },
      { option: 'format', value: 'tfjs', text: 'writes a folder for TensorFlow.js' },
      { option: 'format', value: 'saved_model', text: 'writes a SavedModel' },
    ],
  });
}

const ELSEWHERE = { option: 'output', value: 'FILE', text: 'writes to another folder' } as const;
const FILE = { option: 'output', value: 'frozen.pb', text: 'writes a file, which you can upload' } as const;

/** Error codes of the operating system: why, and how to fix it. */
const MEANINGS: Readonly<Record<string, (path: string) => { why: string; fix: ErrorDetail['fix'] }>> = {
  ENOENT: (path) => {
    const folder = dirname(path);
    // /proc exists, and refuses new files with the code for a missing folder.
    if (existsSync(folder)) return { why: `${folder} does not accept new files (ENOENT)`, fix: ELSEWHERE };
    if (/^[a-z][\w+.-]+:\/\//i.test(path)) return { why: 'it is a URL; bnfix writes files', fix: FILE };
    return {
      why: `folder ${folder} not found`,
      fix: `create it: mkdir -p ${shellQuoted(folder)}`,
    };
  },
  ENOTDIR: (path) => ({ why: `a part of ${dirname(path)} is a file, not a folder`, fix: 'check the path' }),
  EACCES: (path) => ({
    why: `no permission to write in ${dirname(path)}`,
    fix: [ELSEWHERE, 'change its permissions'],
  }),
  EBUSY: (path) => ({
    why: 'it is in use, or another file system is mounted there (EBUSY)',
    fix: { option: 'output', value: join(path, 'model'), text: 'writes into it' },
  }),
  EROFS: () => ({ why: 'the file system is read-only', fix: 'write to another disk' }),
  ENOSPC: () => ({ why: 'the disk is full', fix: 'free some space, or write to another disk' }),
  EDQUOT: () => ({ why: 'your disk quota is used up', fix: 'free some space, or write to another disk' }),
  EFBIG: () => ({
    why: 'the file would be larger than the system allows',
    fix: 'raise the limit (ulimit -f), or write to another disk',
  }),
  ENAMETOOLONG: (path) => ({
    why: `its name is too long: ${basename(path).length} characters`,
    fix: 'choose a shorter name',
  }),
  EPIPE: () => ({ why: 'the reading end of the pipe was closed', fix: 'check the command after |' }),
};
const SAME: Readonly<Record<string, string>> = { EPERM: 'EACCES' };

/** Turns an error of the operating system into one with why and fix; returns any other error unchanged. */
export function explainUnwritable(path: string, error: unknown): unknown {
  const code = errorCode(error);
  if (code === undefined || error instanceof BnfixError) return error;
  const meaning = MEANINGS[SAME[code] ?? code]?.(path);
  return new BnfixError('unwritable', `cannot write ${path}`, {
    where: path,
    why: meaning?.why ?? (error as Error).message,
    fix: meaning?.fix ?? 'check the path and the disk',
    cause: error,
  });
}

/** ENOENT and the like; undefined for any other error. */
export function errorCode(error: unknown): string | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return error instanceof Error && typeof code === 'string' && (syscall !== undefined || code === 'EPIPE')
    ? code
    : undefined;
}
