// Freezes every fixture with the built library: node scripts/verify/freeze_all.mjs OUT [CASE ...]
// Writes OUT/<case>.pb, or OUT/<case>.error.json with its error. The comparison is verify.py's.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freeze, load, writeGraph } from '../../dist/index.js';
import { makeAll } from '../cases.mjs';

const [out, ...wanted] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node scripts/verify/freeze_all.mjs OUT [CASE ...]');
  process.exit(2);
}
const fixtures = fileURLToPath(new URL('../../test/fixtures', import.meta.url));
const { made, refused } = await makeAll(fixtures, resolve(out), wanted, async (one, target) => {
  const model = await load(one.model, one.load);
  try {
    await writeGraph(target, freeze(model, one.freeze));
  } finally {
    model.close();
  }
});
console.log(`${made} frozen, ${refused} refused`);
