// Freezes every fixture with the built library: node scripts/verify/freeze_all.mjs OUT [CASE ...]
// Writes OUT/<case>.pb, or OUT/<case>.error.json with what was said. The comparison is verify.py's.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BnfixError, EXIT_CODES, freeze, load, writeGraph } from '../../dist/index.js';

const FIXTURES = fileURLToPath(new URL('../../test/fixtures', import.meta.url));
/** Options of a case that are load's; the others are freeze's. */
const LOAD_OPTIONS = ['checkpoint', 'reference', 'tag'];

const [out, ...wanted] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node scripts/verify/freeze_all.mjs OUT [CASE ...]');
  process.exit(2);
}
mkdirSync(out, { recursive: true });

let written = 0;
let refused = 0;
for (const name of readdirSync(FIXTURES).sort()) {
  const folder = join(FIXTURES, name);
  if (!existsSync(join(folder, 'case.json')) || (wanted.length > 0 && !wanted.includes(name))) continue;
  const one = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'));
  const target = resolve(out, `${name}.pb`);
  const said = resolve(out, `${name}.error.json`);
  rmSync(target, { force: true });
  rmSync(said, { force: true });
  try {
    await freezeCase(folder, one, target);
    written++;
  } catch (error) {
    refused++;
    const exitCode = error instanceof BnfixError ? EXIT_CODES[error.code] : EXIT_CODES.internal;
    writeFileSync(said, JSON.stringify({ exitCode, message: error.message, where: error.where, why: error.why }));
  }
}
console.log(`${written} frozen, ${refused} refused`);

async function freezeCase(folder, one, target) {
  const options = Object.entries(one.options ?? {});
  const loadOptions = Object.fromEntries(options.filter(([key]) => LOAD_OPTIONS.includes(key)));
  const freezeOptions = Object.fromEntries(options.filter(([key]) => !LOAD_OPTIONS.includes(key)));
  for (const key of ['checkpoint', 'reference']) {
    const path = one[key] ?? loadOptions[key];
    if (path !== undefined) loadOptions[key] = join(folder, path);
  }
  const model = await load(join(folder, one.model), loadOptions);
  try {
    await writeGraph(target, freeze(model, { outputs: one.outputs, ...freezeOptions }));
  } finally {
    model.close();
  }
}
