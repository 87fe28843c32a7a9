// Runs the results of freeze and fold, and the ideal graphs, in the programs that people deploy to: README.md says how.
// node scripts/interop/interop.mjs FOLDER [--consumer NAME]... [--variant NAME]... [--every N] [--python VERSION=PATH]... [CASE...]
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import fs from 'fs-extra';
import picomatch from 'picomatch';
import { runAll } from './cells.mjs';
import { makeIdeals } from './ideals.mjs';
import { addDemo, casesIn, makeModels, modelOf } from './models.mjs';
import { makeNets } from './nets.mjs';
import { Results } from './results.mjs';
import { CONSUMERS } from './versions.mjs';

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
