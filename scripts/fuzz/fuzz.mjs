// npm run fuzz: property tests with fresh seeds, and mutants of model files. README.md describes both.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runProperties } from './properties.mjs';

const USAGE = `npm run fuzz -- [properties | mutants] [OPTION ...]
npm run fuzz -- replay FOLDER      run a mutant that was kept
npm run fuzz -- minimise FOLDER    make it smaller: FOLDER-small

  --minutes N   time for all: half for properties, half for mutants (default 5)
  --seed S      the same examples again: one round of properties, mutants in the same order
  --mutants N   stop after so many mutants
  --first N     number of the first mutant (default 0): --seed S --first N --mutants 1 repeats one
  --quick       only commands that need no process of their own, which is several times as fast
  --workers N   processes that run mutants (default 1)
  --keep DIR    where mutants that fail are kept (default fuzz-findings)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    mutants: { type: 'string' },
    first: { type: 'string', default: '0' },
    quick: { type: 'boolean', default: false },
    workers: { type: 'string', default: '1' },
    keep: { type: 'string', default: 'fuzz-findings' },
    help: { type: 'boolean', short: 'h' },
  },
});

process.exitCode = await main(positionals);

async function main([command, folder]) {
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const known = [undefined, 'properties', 'mutants', 'replay', 'minimise'].includes(command);
  if (!known || (['replay', 'minimise'].includes(command) && folder === undefined)) {
    console.error(USAGE);
    return 2;
  }
  const [minutes, seed] = [numberOf('minutes'), numberOf('seed')];
  const start = Date.now();
  if (command === undefined || command === 'properties') {
    const share = command === undefined ? 0.5 : 1;
    if (!runProperties({ seed, end: start + share * minutes * 60_000 })) return 1;
    if (command === 'properties') return 0;
  }
  if (!existsSync(fileURLToPath(new URL('../../dist/cli/cli.cjs', import.meta.url)))) {
    console.error('mutants are run with dist/, which is missing: npm run build');
    return 2;
  }
  const { fuzzMutants, minimiseKept, replay } = await import('./mutants/commands.mjs');
  if (command === 'replay') return replay(folder);
  if (command === 'minimise') return minimiseKept(folder);
  const [count, first, workers] = ['mutants', 'first', 'workers'].map(numberOf);
  return fuzzMutants({
    seed,
    count,
    first,
    quick: values.quick,
    workers,
    keep: values.keep,
    end: start + minutes * 60_000,
  });
}

function numberOf(option) {
  const text = values[option];
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0) return number;
  console.error(`--${option} takes a number, not ${text}`);
  process.exit(2);
}
