import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { publish } from './file.js';
import { alreadyThere, errorCode } from './target.js';
import { makeTemporary, putBack, removeTemporary, temporaryPath } from './temporary.js';

/** Something finished, and the name that it is to have. */
export interface Finished {
  readonly temporary: string;
  readonly path: string;
}

/**
 * Gives several files, or a folder, their names: all of them, or none. What they replace is moved away before, the last one first,
 * so that at no moment old and new files together look like one result; it is moved back if anything fails. If the process is
 * killed in between, it stays in a temporary folder, from which the next run puts it back.
 *
 * @param target - the target of the whole result
 * @param replaced - what is moved away; what makes the others a result comes last
 */
export async function exchange(
  target: string,
  replaced: readonly string[],
  finished: readonly Finished[],
  give: (each: Finished) => Promise<void>,
): Promise<void> {
  const old = replaced.length > 0 ? await makeTemporary(target, 0o700, 'old') : undefined;
  const gone = temporaryPath(target, 'tmp');
  const done: string[] = [];
  try {
    if (old !== undefined) for (const path of replaced.toReversed()) await moveAway(path, old);
    for (const each of finished) {
      await give(each);
      done.push(each.path);
    }
    // From now on, the new result is the one that stays.
    if (old !== undefined) await rename(old, gone);
  } catch (error) {
    for (const path of done) await removeTemporary(path);
    if (old !== undefined) await putBack(old);
    throw error;
  }
  await removeTemporary(gone);
}

/** Moves something into a folder, unless another process has already done so. */
async function moveAway(path: string, folder: string): Promise<void> {
  try {
    await rename(path, join(folder, basename(path)));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Gives a file its name, unless another program has given it to something else. */
export function giveToFile({ temporary, path }: Finished): Promise<void> {
  return publish(temporary, path, false);
}

/** Gives a folder its name, unless another program has given it to something else. */
export async function giveToFolder({ temporary, path }: Finished): Promise<void> {
  try {
    await rename(temporary, path);
  } catch (error) {
    throw OCCUPIED.has(errorCode(error) ?? '') ? alreadyThere(path, 'DIR') : error;
  }
}

const OCCUPIED: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR']);
