import { link, readFile, rename, unlink } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { BnfixError } from '../errors.js';
import { errorCode } from './target.js';
import { isLeftBehind, lockPath, openTemporary, removeTemporary, temporaryPath } from './temporary.js';

const WAIT_MS = 5;
/** Whoever has the lock only renames files: it takes a moment, but for a process that is stopped. */
const MAX_WAIT_MS = 60_000;

/**
 * Does something to the files of a target while no other run on it does so. A lock that a killed run left is removed.
 * @throws BnfixError `unwritable` when another run keeps the lock
 */
export async function exclusively<T>(target: string, work: () => Promise<T>): Promise<T> {
  const path = lockPath(target);
  const { path: own, file } = await openTemporary(target, 0o600);
  try {
    // Its content says whose it is; it gets the name of the lock with the content in it.
    await file.writeFile(own);
    await file.close();
    const isLocked = await acquire(own, path);
    try {
      return await work();
    } finally {
      if (isLocked) await unlink(path).catch(() => {});
    }
  } finally {
    await file.close().catch(() => {});
    await removeTemporary(own);
  }
}

/** @returns false on a file system without hard links, which has no locks */
async function acquire(own: string, path: string): Promise<boolean> {
  for (let waited = 0; waited < MAX_WAIT_MS; waited += WAIT_MS) {
    try {
      await link(own, path);
      return true;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') return false;
    }
    const owner = await readFile(path, 'utf8').catch(() => undefined);
    if (owner !== undefined && (await isLeftBehind(owner))) await removeLock(path, owner);
    else await setTimeout(WAIT_MS);
  }
  throw new BnfixError('unwritable', 'another run of bnfix writes the same files', {
    where: path,
    fix: ['wait until it has ended', { option: 'output', value: 'PREFIX', text: 'chooses another name' }],
  });
}

/** Removes a lock, unless another run has done so and taken it. */
async function removeLock(path: string, owner: string): Promise<void> {
  const away = temporaryPath(path, 'tmp');
  try {
    await rename(path, away);
    if ((await readFile(away, 'utf8')) !== owner) await link(away, path);
  } catch {
    // Another run was faster.
  }
  await removeTemporary(away);
}
