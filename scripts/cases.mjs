// The cases of a folder of fixtures, for scripts that freeze or fold them all.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fs from 'fs-extra';
import { BnfixError, EXIT_CODES } from '../dist/index.js';

/** Options of a case that belong to load; the others are those of freeze. */
const LOAD_OPTIONS = ['checkpoint', 'reference', 'tag'];
/** Options of load that are paths within the folder of a case. */
const PATHS = ['checkpoint', 'reference'];

/**
 * Makes a graph of each case, in order of names, as OUT/<case>.pb; or writes OUT/<case>.error.json with its error.
 * @param wanted - names of cases; empty for all
 * @param make - (case, target) => a promise; a case has `model`, `load`, `freeze`
 * @returns how many were made, and how many refused
 */
export async function makeAll(fixtures, out, wanted, make) {
  await fs.ensureDir(out);
  const counts = { made: 0, refused: 0 };
  for (const name of readdirSync(fixtures).sort()) {
    const folder = join(fixtures, name);
    if (!(await fs.pathExists(join(folder, 'case.json')))) continue;
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const [target, failed] = [join(out, `${name}.pb`), join(out, `${name}.error.json`)];
    await Promise.all([fs.remove(target), fs.remove(failed)]);
    try {
      await make(await readCase(folder), target);
      counts.made++;
    } catch (error) {
      counts.refused++;
      const exitCode = error instanceof BnfixError ? EXIT_CODES[error.code] : EXIT_CODES.internal;
      const { message, where, why } = error;
      await fs.outputJson(failed, { exitCode, message, where, why });
    }
  }
  return counts;
}

async function readCase(folder) {
  const one = await fs.readJson(join(folder, 'case.json'));
  const options = Object.entries(one.options ?? {});
  const load = Object.fromEntries(options.filter(([key]) => LOAD_OPTIONS.includes(key)));
  for (const key of PATHS) {
    const path = one[key] ?? load[key];
    if (path !== undefined) load[key] = join(folder, path);
  }
  const freeze = {
    outputs: one.outputs,
    ...Object.fromEntries(options.filter(([key]) => !LOAD_OPTIONS.includes(key))),
  };
  return { model: join(folder, one.model), load, freeze };
}
