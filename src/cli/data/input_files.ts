import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import picomatch from 'picomatch';
import { BnfixError } from '../../errors.js';
import type { InputFile } from './input_value.js';

/** Files of a folder that hold values of an input. */
const EXTENSIONS = new Set(['.npy', '.npz', '.png', '.jpg', '.jpeg']);

/** The files of each input: its name, or an empty one for the only input, and paths. */
export type InputPaths = ReadonlyMap<string, readonly string[]>;

/**
 * Which files the values of inputs are in, from `NAME=PATH` or `PATH`, each a file or a folder of files.
 * @throws BnfixError `unreadable` for a path that does not exist, `usage` for a folder without such files
 */
export function inputPaths(entries: readonly string[]): InputPaths {
  const paths = new Map<string, string[]>();
  for (const entry of entries) {
    // A path may contain the sign.
    const at = existsSync(entry) ? -1 : entry.indexOf('=');
    const [name, path] = at < 0 ? ['', entry] : [entry.slice(0, at).replace(/:0$/, ''), entry.slice(at + 1)];
    paths.set(name, [...(paths.get(name) ?? []), ...filesAt(path)]);
  }
  return paths;
}

function filesAt(path: string): string[] {
  if (!existsSync(path) && picomatch.scan(path).isGlob) return filesLike(path);
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (!isFolder) return [path];
  const files = readdirSync(path).filter((name) => EXTENSIONS.has(extname(name).toLowerCase()));
  if (files.length > 0) return files.sort().map((name) => join(path, name));
  throw new BnfixError('usage', `${path} has no input files`, {
    where: path,
    why: `the files of a folder that count are ${[...EXTENSIONS].join(', ')}`,
  });
}

/** The files of a folder that match the last part of a path, as in a shell. */
function filesLike(path: string): string[] {
  const folder = dirname(path);
  const isMatch = picomatch(basename(path));
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => isMatch(name)) : [];
  if (names.length > 0) return names.sort().map((name) => join(folder, name));
  throw new BnfixError('usage', `no file matches ${path}`, { where: path });
}

/** Reads a file. @throws BnfixError `unreadable` */
export function readInputFile(path: string): InputFile {
  try {
    return { name: path, bytes: readFileSync(path) };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): BnfixError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const headline = code === 'ENOENT' ? `${path} not found` : `cannot read ${path}`;
  return new BnfixError('unreadable', headline, { where: path, why: code === 'ENOENT' ? undefined : message, cause });
}
