// Runs the results of freeze and fold, and the ideal graphs, in the programs that people deploy to: README.md says how.
// node scripts/interop/interop.mjs FOLDER [--consumer NAME]... [--variant NAME]... [--every N] [--python VERSION=PATH]... [CASE...]
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import fs from 'fs-extra';
import picomatch from 'picomatch';
import { pythonOf } from './environments.mjs';
import { HERE, makeIdeals } from './ideals.mjs';
import { addDemo, casesIn, inFormat, makeModels, modelOf } from './models.mjs';
import { makeNets } from './nets.mjs';
import { hashOf, Results } from './results.mjs';
import { writeModelJson } from './tfjs/model_json.mjs';
import { CONSUMERS } from './versions.mjs';
import { Worker } from './worker.mjs';

/** Seconds that a model may take. */
const PATIENCE = 240;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    consumer: { type: 'string', multiple: true },
    variant: { type: 'string', multiple: true },
    every: { type: 'string', default: '1' },
    python: { type: 'string', multiple: true, default: [] },
  },
});
const [folder, ...globs] = positionals;
if (folder === undefined) {
  console.error(
    'usage: node scripts/interop/interop.mjs FOLDER [--consumer NAME]... [--variant NAME]... [--every N] [CASE...]',
  );
  process.exit(2);
}
await main(resolve(folder), Object.fromEntries(options.python.map((text) => text.split('='))));

async function main(folder, pythons) {
  await fs.ensureDir(folder);
  const consumers = options.consumer ?? Object.keys(CONSUMERS);
  await makeIdeals(folder, pythons);
  await makeNets(folder, pythons);
  await addDemo(folder);
  const isNamed = picomatch(globs.length > 0 ? globs : '*');
  const every = Number(options.every);
  const found = await casesIn(folder, isNamed);
  const cases = found.filter((one, i) => i % every === 0 || one.group === 'net');

  const variants = options.variant ?? ['ideal', 'freeze', 'fold'];
  const models = new Map();
  for (const variant of variants) {
    if (variant !== 'ideal') await makeModels(folder, variant, cases);
    for (const one of cases) models.set(`${one.name} ${variant}`, await modelOf(folder, variant, one));
  }
  const results = new Results(folder);
  for (const consumer of consumers) await runAll(folder, consumer, variants, cases, models, results, pythons);
}

/** Runs all cells of a consumer that are not known yet. */
async function runAll(folder, consumer, variants, cases, models, results, pythons) {
  const { title, target, ideal } = CONSUMERS[consumer];
  const worker = new Worker(await commandOf(consumer, folder, pythons), PATIENCE);
  const counts = { right: 0, wrong: 0, fails: 0, known: 0 };
  const start = Date.now();
  try {
    for (const one of cases) {
      for (const variant of variants) {
        const [, meant] = variant.split('-');
        if (meant !== undefined && meant !== target) continue;
        if (variant === 'ideal' && ideal !== undefined) continue;
        const model = await presented(folder, consumer, variant, one, models.get(`${one.name} ${variant}`));
        const cell = { case: one.name, group: one.group, variant, consumer };
        const hash = await hashOf(consumer, model);
        if (results.has(cell, hash)) {
          counts.known++;
          continue;
        }
        const result = model.refused
          ? { verdict: 'fails', error: 'Refused', text: model.refused }
          : await run(worker, one, model);
        counts[result.verdict]++;
        results.add({ ...cell, hash, ...result });
      }
    }
  } finally {
    worker.close();
  }
  console.log(`${title}: ${JSON.stringify(counts)} in ${Math.round((Date.now() - start) / 1000)} s`);
}

async function run(worker, { tolerance }, { model, truth, inputs, outputs }) {
  try {
    return await worker.run({ model, truth, inputs, outputs, tolerance });
  } catch (error) {
    return { verdict: 'fails', error: error.name, text: error.message };
  }
}

/** A model in the format of a consumer. bnfix makes nothing of ideal graphs. */
async function presented(folder, consumer, variant, one, model) {
  const { format } = CONSUMERS[consumer];
  if (format === undefined || model.refused) return model;
  if (variant !== 'ideal') return inFormat(format, model);
  try {
    return { ...model, model: await modelJson(folder, variant, one.name, model.model) };
  } catch (error) {
    return { refused: error.message };
  }
}

/** The folder of an ideal graph for TensorFlow.js, which is written if the graph is newer. */
async function modelJson(folder, variant, name, path) {
  const at = join(folder, 'tfjs', variant, name);
  const json = join(at, 'model.json');
  if (!(await fs.pathExists(json)) || (await fs.stat(json)).mtimeMs < (await fs.stat(path)).mtimeMs) {
    await fs.emptyDir(at);
    await writeModelJson(path, at);
  }
  return at;
}

async function commandOf(consumer, folder, pythons) {
  const { environment, module, worker, argument } = CONSUMERS[consumer];
  if (worker) return [process.execPath, join(HERE, worker), argument];
  return [await pythonOf(environment, folder, pythons), join(HERE, 'python', 'worker.py'), module];
}
