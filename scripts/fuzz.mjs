// The property tests with fresh seeds, for some minutes: npm run fuzz [-- --minutes N | --seed S]
// They are the tests that import test/support/random.ts; `npm test` runs the same ones with a fixed seed.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Examples of each property in a round. */
const RUNS = 1000;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' } } });
const minutes = numberOf('minutes', values.minutes);
const seed = values.seed === undefined ? undefined : numberOf('seed', values.seed);

const root = fileURLToPath(new URL('..', import.meta.url));
const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => join('test', path))
  .filter((path) => readFileSync(join(root, path), 'utf8').includes('support/random.js'));

const end = Date.now() + minutes * 60_000;
let rounds = 0;
do {
  const used = seed ?? randomInt(2 ** 31);
  if (!passes(used)) {
    console.error(`
Failed with seed ${used}. To see it again:
  npm run fuzz -- --seed ${used}
To keep it: copy the counterexample that fast-check printed into the \`examples\` of that property, or build the net in a
test of its own. A net of scripts/fuzz (Python) becomes a fixture: see "Adding a case" in CONTRIBUTING.md.`);
    process.exit(1);
  }
  rounds++;
} while (seed === undefined && Date.now() < end);
console.log(`${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${RUNS} examples for each property: no failure`);

/** Whether all property tests pass with this seed. */
function passes(seed) {
  console.log(`seed ${seed}`);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--reporter=dot', '--testTimeout=3600000', ...files];
  const env = { ...process.env, BNFIX_SEED: `${seed}`, BNFIX_RUNS: `${RUNS}` };
  return spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status === 0;
}

function numberOf(option, text) {
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0) return number;
  console.error(`--${option} takes a number, not ${text}`);
  process.exit(2);
}
