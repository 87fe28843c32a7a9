// Folds every fixture with the built library: node scripts/fold/fold_all.mjs OUT [CASE ...]
// Writes OUT/freeze/<case>.pb and OUT/fold/<case>.pb, or <case>.error.json with its error. The comparison is verify.py's.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fold, load, writeGraph } from '../../dist/index.js';
import { makeAll } from '../cases.mjs';

const FOLDERS = { freeze: '../../test/fixtures', fold: '../../test/fold/fixtures' };

const [out, ...wanted] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node scripts/fold/fold_all.mjs OUT [CASE ...]');
  process.exit(2);
}
const counts = { folded: 0, refused: 0, previous: 0, next: 0, arithmetic: 0, kept: 0 };
for (const [kind, path] of Object.entries(FOLDERS)) {
  const fixtures = fileURLToPath(new URL(path, import.meta.url));
  const { made, refused } = await makeAll(fixtures, join(resolve(out), kind), wanted, async (one, target) => {
    const model = await load(one.model, one.load);
    try {
      const folded = fold(model, one.freeze);
      await writeGraph(target, folded);
      for (const { action } of folded.report.folded) counts[action]++;
    } finally {
      model.close();
    }
  });
  counts.folded += made;
  counts.refused += refused;
}
console.log(JSON.stringify(counts));
