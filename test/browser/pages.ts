import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { cli } from '../cli/support.js';

/** A folder that is removed after the tests of a file. */
export function folderForTests(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'bnfix page '));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

/** Makes a page by the command line. @returns its path */
export async function pageBy(
  command: string,
  model: string,
  path: string,
  ...args: readonly string[]
): Promise<string> {
  const dryRun = command === 'inspect' ? [] : ['--dry-run'];
  const { code, stderr } = await cli([command, model, ...dryRun, ...args, '-q', '--html', path]);
  if (code !== 0) throw new Error(stderr);
  return path;
}
