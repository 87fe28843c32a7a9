// Runs the cells of a consumer: a model of a case, in its format.
import { join } from 'node:path';
import fs from 'fs-extra';
import { pythonOf } from './environments.mjs';
import { HERE } from './ideals.mjs';
import { inFormat } from './models.mjs';
import { hashOf } from './results.mjs';
import { writeModelJson } from './tfjs/model_json.mjs';
import { CONSUMERS } from './versions.mjs';
import { Worker } from './worker.mjs';

/** Seconds that a model may take. */
const PATIENCE = 240;

/** Runs all cells of a consumer that are not known yet. @returns how many had each result */
export async function runAll(folder, consumer, variants, cases, models, results, pythons) {
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
  return counts;
}

async function run(worker, { tolerance }, { model, truth, inputs, outputs }) {
  try {
    return await worker.run({ model, truth, inputs, outputs, tolerance });
  } catch (error) {
    return { verdict: 'fails', error: error.name, text: error.message };
  }
}

/** A model in the format of a consumer. bnfix makes nothing of ideal graphs. */
export async function presented(folder, consumer, variant, one, model) {
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

export async function commandOf(consumer, folder, pythons) {
  const { environment, module, worker, argument } = CONSUMERS[consumer];
  if (worker) return [process.execPath, join(HERE, worker), argument];
  return [await pythonOf(environment, folder, pythons), join(HERE, 'python', 'worker.py'), module];
}
