import { readFileSync, readlinkSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { kill, pid } from 'node:process';
import { crc32c } from '../io/crc32c.js';
import { errorCode } from './target.js';

/** A temporary file next to its target. Its name says which process writes it, so that leftovers are recognised. */
export interface Temporary {
  readonly path: string;
  readonly file: FileHandle;
}

let made = 0;

/**
 * Creates the temporary file for a target, in the same folder.
 * @param mode - permissions, which apply before the first byte is written
 */
export async function openTemporary(target: string, mode: number): Promise<Temporary> {
  const path = temporaryPath(target, 'tmp');
  // Opening fails if it exists; reading is for verification.
  return { path, file: await open(path, 'wx+', mode) };
}

/** Creates a temporary folder for a target, in the same folder. @returns its path */
export async function makeTemporary(target: string, mode: number, kind: Kind = 'tmp'): Promise<string> {
  const path = temporaryPath(target, kind);
  await mkdir(path, { mode });
  return path;
}

/** `tmp`: to be removed, whenever it is found. `old`: what a result replaces, until the whole result has its name. */
type Kind = 'tmp' | 'old';

/** A name that nothing else has, for something next to a target. */
export function temporaryPath(target: string, kind: Kind): string {
  made++;
  // Short: the target's own name plus a suffix could be too long.
  const name = `.bnfix-${keyOf(target)}-${machine()}-${pid}-${processStat(pid)?.start ?? 0}-${made}.${kind}`;
  return join(dirname(target), name);
}

/** The name of the lock of a target. */
export function lockPath(target: string): string {
  return join(dirname(target), `.bnfix-${keyOf(target)}.lock`);
}

const NAME = /^\.bnfix-([0-9a-f]{8})-([0-9a-f]{8})-(\d+)-(\d+)-\d+\.(tmp|old)$/;

/** A file that is being written changes all the time; one that did not for this long has no writer. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/**
 * Removes temporary files that killed runs left behind for this target, and puts back what they were about to replace. Whether a
 * process of another machine still runs cannot be seen: its files are removed when they are a day old.
 * @param main - what a result gets last: where it is, the result is complete
 */
export async function removeLeftovers(target: string, main = target): Promise<void> {
  const folder = dirname(target);
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, key, , , , kind] = NAME.exec(name) ?? [];
    if (key !== keyOf(target)) continue;
    const path = join(folder, name);
    if (!(await isLeftBehind(path))) continue;
    const isLost = kind === 'old' && (await lstat(main).catch(() => undefined)) === undefined;
    await (isLost ? putBack(path) : removeTemporary(path));
  }
}

/** Whether the process that made a temporary file has ended. */
export async function isLeftBehind(path: string): Promise<boolean> {
  const [, , host, process, start] = NAME.exec(basename(path)) ?? [];
  return host === machine() ? !isRunning(Number(process), Number(start)) : isAbandoned(path);
}

/** Removes a temporary file or folder, if it can be removed. */
export async function removeTemporary(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => {});
}

/** Gives what was about to be replaced its names again. */
export async function putBack(old: string): Promise<void> {
  const names = await readdir(old).catch(() => []);
  for (const name of names) await rename(join(old, name), join(dirname(old), name)).catch(() => {});
  // Stays if something in it could not be moved.
  await rmdir(old).catch(() => {});
}

async function isAbandoned(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > ABANDONED_MS;
}

/** Distinguishes the targets of a folder. */
function keyOf(target: string): string {
  return hex(basename(target));
}

let known: string | undefined;

/** Distinguishes machines and containers, which may share a folder but number their processes separately. */
function machine(): string {
  known ??= hex(`${hostname()} ${contents(() => readlinkSync('/proc/self/ns/pid'))}`);
  return known;
}

function hex(text: string): string {
  return crc32c(new TextEncoder().encode(text)).toString(16).padStart(8, '0');
}

/** Whether the process that started at this time still runs: its number may belong to another one by now. */
function isRunning(id: number, start: number): boolean {
  try {
    kill(id, 0);
  } catch (error) {
    // Not permitted to signal it: it exists.
    if (errorCode(error) === 'ESRCH') return false;
  }
  const now = processStat(id);
  if (!now) return true;
  return now.state !== 'Z' && (start === 0 || now.start === start);
}

/** State and start of a process, in clock ticks since the machine started; undefined where the system does not tell. */
function processStat(id: number): { readonly state: string; readonly start: number } | undefined {
  const stat = contents(() => readFileSync(`/proc/${id}/stat`, 'latin1'));
  // Fields 3 and 22; the second field, the name in parentheses, may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', start] = [fields[0], Number(fields[19])];
  return Number.isFinite(start) ? { state, start } : undefined;
}

function contents(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
