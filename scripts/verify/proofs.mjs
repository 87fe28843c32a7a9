// Freezes and folds the fixtures of proofs.py: node scripts/verify/proofs.mjs OUT NAME ...
// Writes OUT/NAME.pb and OUT/NAME.folded.pb.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fold, freeze, load, writeGraph } from '../../dist/index.js';

const fixtures = fileURLToPath(new URL('../../test/fixtures', import.meta.url));
const [out, ...names] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
for (const name of names) {
  const { model: path, outputs } = JSON.parse(readFileSync(join(fixtures, name, 'case.json'), 'utf8'));
  const model = await load(join(fixtures, name, path));
  await writeGraph(join(out, `${name}.pb`), freeze(model, { outputs }), { force: true });
  await writeGraph(join(out, `${name}.folded.pb`), fold(model, { outputs }), { force: true });
  model.close();
}
