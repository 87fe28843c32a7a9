import { fileURLToPath } from 'node:url';
import { type CheckedFile, checkFile, modelAt } from '../../src/checkable.js';

/** A path next to the tests. */
export const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Checks a file as `bnfix check` does. */
export function checkAt(path: string): Promise<CheckedFile> {
  return checkFile(modelAt(at(path)));
}

/** The verdict, and each finding as `rule node`. */
export async function summaryAt(path: string): Promise<string[]> {
  const { verdict, findings } = (await checkAt(path)).result;
  return [verdict, ...findings.map(({ rule, node }) => (node === undefined ? rule : `${rule} ${node}`))];
}
