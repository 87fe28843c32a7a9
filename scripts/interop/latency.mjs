// Times of the nets in each program, ideal, freeze and fold called in turns: node scripts/interop/latency.mjs FOLDER [--consumer NAME]...
// After interop.mjs. Writes FOLDER/latency.json, a median in milliseconds for each net, program and variant.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import fs from 'fs-extra';
import { commandOf, presented } from './cells.mjs';
import { casesIn, modelOf } from './models.mjs';
import { CONSUMERS } from './versions.mjs';
import { Worker } from './worker.mjs';

const VARIANTS = ['ideal', 'freeze', 'fold'];
/** How often, and how long in seconds, each net is run; loading comes on top. */
const [ROUNDS, SECONDS, PATIENCE] = [50, 20, 400];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { consumer: { type: 'string', multiple: true, default: [] } },
});
if (positionals.length !== 1) {
  console.error('usage: node scripts/interop/latency.mjs FOLDER [--consumer NAME]...');
  process.exit(2);
}
await main(resolve(positionals[0]));

async function main(folder) {
  const path = join(folder, 'latency.json');
  const times = (await fs.pathExists(path)) ? await fs.readJson(path) : {};
  const nets = (await casesIn(folder, () => true)).filter(({ group }) => group === 'net');
  const ran = Object.keys(CONSUMERS).filter((name) => CONSUMERS[name].ideal === undefined);
  for (const consumer of values.consumer.length > 0 ? values.consumer : ran) {
    const worker = new Worker(await commandOf(consumer, folder, {}), PATIENCE);
    for (const net of nets) {
      const models = {};
      for (const variant of VARIANTS) {
        const model = await presented(folder, consumer, variant, net, await modelOf(folder, variant, net));
        if (!model.refused) models[variant] = model;
      }
      const facts = await worker.run({ models, rounds: ROUNDS, seconds: SECONDS });
      times[consumer] ??= {};
      times[consumer][net.name] = Object.fromEntries(VARIANTS.map((name) => [name, facts[name]?.milliseconds]));
      console.log(consumer, net.name, JSON.stringify(times[consumer][net.name]));
      await fs.writeJson(path, times, { spaces: 1 });
    }
    worker.close();
  }
}
