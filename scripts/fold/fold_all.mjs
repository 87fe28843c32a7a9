// Folds every fixture with the built library: node scripts/fold/fold_all.mjs OUT [CASE ...]
// Writes OUT/freeze/<case>.pb and OUT/fold/<case>.pb, or <case>.error.json with what was said. The comparison is verify.py's.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BnfixError, EXIT_CODES, fold, load, writeGraph } from '../../dist/index.js';

const FOLDERS = { freeze: '../../test/fixtures', fold: '../../test/fold/fixtures' };
/** Options of a case that are load's; the others are fold's. */
const LOAD_OPTIONS = ['checkpoint', 'reference', 'tag'];

const [out, ...wanted] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node scripts/fold/fold_all.mjs OUT [CASE ...]');
  process.exit(2);
}
const counts = { folded: 0, refused: 0, previous: 0, next: 0, arithmetic: 0, kept: 0 };
for (const [kind, path] of Object.entries(FOLDERS)) {
  const fixtures = fileURLToPath(new URL(path, import.meta.url));
  mkdirSync(join(out, kind), { recursive: true });
  for (const name of readdirSync(fixtures).sort()) {
    const folder = join(fixtures, name);
    if (!existsSync(join(folder, 'case.json')) || (wanted.length > 0 && !wanted.includes(name))) continue;
    const one = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'));
    const target = resolve(out, kind, `${name}.pb`);
    const said = resolve(out, kind, `${name}.error.json`);
    rmSync(target, { force: true });
    rmSync(said, { force: true });
    try {
      const report = await foldCase(folder, one, target);
      counts.folded++;
      for (const { action } of report.folded) counts[action]++;
    } catch (error) {
      counts.refused++;
      const exitCode = error instanceof BnfixError ? EXIT_CODES[error.code] : EXIT_CODES.internal;
      writeFileSync(said, JSON.stringify({ exitCode, message: error.message, where: error.where, why: error.why }));
    }
  }
}
console.log(JSON.stringify(counts));

async function foldCase(folder, one, target) {
  const options = Object.entries(one.options ?? {});
  const loadOptions = Object.fromEntries(options.filter(([key]) => LOAD_OPTIONS.includes(key)));
  const foldOptions = Object.fromEntries(options.filter(([key]) => !LOAD_OPTIONS.includes(key)));
  for (const key of ['checkpoint', 'reference']) {
    const path = one[key] ?? loadOptions[key];
    if (path !== undefined) loadOptions[key] = join(folder, path);
  }
  const model = await load(join(folder, one.model), loadOptions);
  try {
    const folded = fold(model, { outputs: one.outputs, ...foldOptions });
    await writeGraph(target, folded);
    return folded.report;
  } finally {
    model.close();
  }
}
