// The property tests (those that import test/support/random.ts) with fresh seeds; `npm test` runs them with a fixed one.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Examples of each property in a round. */
const RUNS = 1000;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs all properties in rounds, each with a seed of its own: one round if `seed` is given.
 * @param end - when to begin no other round, in ms
 * @returns whether all passed
 */
export function runProperties({ seed, end }) {
  const files = propertyTests();
  let rounds = 0;
  do {
    const used = seed ?? randomInt(2 ** 31);
    if (!passes(files, used)) {
      console.error(`
Failed with seed ${used}. To see it again:
  npm run fuzz -- properties --seed ${used}
To keep it: copy the counterexample that fast-check printed into the \`examples\` of that property, or build the net in a
test of its own.`);
      return false;
    }
    rounds++;
  } while (seed === undefined && Date.now() < end);
  console.log(`${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${RUNS} examples for each property: no failure`);
  return true;
}

function propertyTests() {
  return readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('test', path))
    .filter((path) => readFileSync(join(ROOT, path), 'utf8').includes('support/random.js'));
}

function passes(files, seed) {
  console.log(`seed ${seed}`);
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--reporter=dot', '--testTimeout=3600000', ...files];
  const env = { ...process.env, BNFIX_SEED: `${seed}`, BNFIX_RUNS: `${RUNS}` };
  return spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' }).status === 0;
}
