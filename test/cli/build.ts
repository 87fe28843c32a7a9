import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const lock = join(root, 'node_modules', '.bnfix-building');

/** The CLI as it is installed. */
export const MAIN = join(root, 'dist', 'cli', 'main.js');

/** All of it but what starts it. */
export const CLI = join(root, 'dist', 'cli', 'cli.cjs');

/** The environment of a process whose V8 has no options of its own. */
export const PLAIN_ENV: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '' };

/** Builds dist/ when a source is newer, or another Node built it: tests that start the real process must not run an old one. */
export async function ensureBuilt(): Promise<void> {
  while (!takeLock()) await setTimeout(100);
  try {
    if (newestChange(join(root, 'src')) <= changed(MAIN)) return;
    // Types are checked by `npm run types`.
    execFileSync(process.execPath, [join(root, 'scripts/build.mjs'), '--quick'], { cwd: root });
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** Test files run at the same time; one of them builds. */
function takeLock(): boolean {
  // Left behind by a run that was killed.
  if (changed(lock) > 0 && Date.now() - changed(lock) > 120_000) rmSync(lock, { recursive: true, force: true });
  try {
    mkdirSync(lock);
    return true;
  } catch {
    return false;
  }
}

function newestChange(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return Math.max(
    ...entries.filter((entry) => entry.isFile()).map((entry) => changed(join(entry.parentPath, entry.name))),
  );
}

/** When a file was last changed, in milliseconds; 0 where there is none. */
function changed(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
