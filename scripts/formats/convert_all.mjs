// Writes the frozen and the folded graph of every fixture as .meta with a checkpoint and as SavedModel, reads both again, and
// compares: node scripts/formats/convert_all.mjs OUT [CASE ...]
// Writes OUT/<case>/{freeze,fold}/{model.pb,model.meta,...,saved_model}. Exit code 1 if freezing a result again does not give
// model.pb, or if folding it gives another graph than folding model.pb. verify_variables.py runs the results in TensorFlow.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import fs from 'fs-extra';
import { fold, freeze, graphBytes, load, writeModel } from '../../dist/index.js';
import { makeAll } from '../cases.mjs';

const [out, ...wanted] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node scripts/formats/convert_all.mjs OUT [CASE ...]');
  process.exit(2);
}
const MAKERS = { freeze, fold };
const TARGETS = { meta: 'model', saved_model: 'saved_model' };
const counts = { equal: 0, different: 0 };

const fixtures = fileURLToPath(new URL('../../test/fixtures', import.meta.url));
const { made, refused } = await makeAll(fixtures, resolve(out), wanted, async (one, target) => {
  const folder = target.replace(/\.pb$/, '');
  await fs.remove(folder);
  await using(await load(one.model, one.load), async (model) => {
    for (const [maker, make] of Object.entries(MAKERS)) {
      const result = make(model, one.freeze);
      await fs.ensureDir(join(folder, maker));
      const pb = join(folder, maker, 'model.pb');
      await writeModel(pb, result, { format: 'pb' });
      const { outputs, allowUntrained } = one.freeze;
      const options = allowUntrained ? { allowUntrained } : {};
      const folded = await using(await load(pb), (frozen) => graphBytes(fold(frozen, { ...options, outputs })));
      for (const [format, name] of Object.entries(TARGETS)) {
        const path = join(folder, maker, name);
        await writeModel(path, result, { format });
        await compare(format === 'meta' ? `${path}.meta` : path, options, graphBytes(result), folded);
      }
    }
  });
});
console.log(
  `${made} converted, ${refused} refused; of the graphs made again, ${counts.equal} equal, ${counts.different} different`,
);
process.exit(counts.different > 0 ? 1 : 0);

async function using(model, use) {
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

/** Freezes and folds what was written, without naming outputs: the signature has them. */
async function compare(path, options, frozen, folded) {
  try {
    await using(await load(path), (model) => {
      count(path, 'freeze', graphBytes(freeze(model, options)), frozen);
      count(path, 'fold', graphBytes(fold(model, options)), folded);
    });
  } catch (error) {
    counts.different++;
    console.log(`FAIL  ${path}: ${error.message} ${error.why ?? ''}`);
  }
}

function count(path, maker, again, wanted) {
  const isEqual = Buffer.compare(again, wanted) === 0;
  counts[isEqual ? 'equal' : 'different']++;
  if (!isEqual) console.log(`DIFF  ${path}: ${maker} gives ${again.length} bytes, not ${wanted.length}`);
}
