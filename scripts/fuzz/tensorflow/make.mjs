// Makes mutants of graphs and keeps those that end with exit code 0, with our result, for compare.py:
//   node scripts/verify/freeze_all.mjs FROZEN
//   node scripts/fuzz/tensorflow/make.mjs OUT --frozen FROZEN [--mutants N] [--seed S] [--minutes M]
// Mutants are made of the training graphs in test/fixtures, and of the frozen graphs in FROZEN.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from '../mutants/pool.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    frozen: { type: 'string' },
    mutants: { type: 'string', default: '5000' },
    first: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '60' },
  },
});
const [out] = positionals;
if (out === undefined) {
  console.error(
    'usage: node scripts/fuzz/tensorflow/make.mjs OUT --frozen FROZEN [--mutants N] [--first N] [--seed S] [--minutes M]',
  );
  process.exit(2);
}
mkdirSync(out, { recursive: true });
const [seed, first, count] = [Number(values.seed), Number(values.first), Number(values.mutants)];
const end = Date.now() + Number(values.minutes) * 60_000;
const outcomes = {};
const worker = new Worker();
let ran = 0;
for (let number = first; number < first + count && Date.now() < end; number++, ran++) {
  const frozen = values.frozen && number % 2 === 0 ? resolve(values.frozen) : undefined;
  const found = await worker.run({
    seed,
    number,
    frozen,
    graphsOnly: true,
    keepResult: join(resolve(out), String(number)),
  });
  const outcome = found.fault ?? (found.faults.length > 0 ? 'fault' : found.outcome);
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}
worker.stop();
writeFileSync(join(out, 'outcomes.json'), `${JSON.stringify({ seed, first, ran, outcomes }, undefined, 1)}\n`);
console.log(`${ran} mutants:`, outcomes);
