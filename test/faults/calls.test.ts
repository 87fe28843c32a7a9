import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt, MAIN } from '../cli/build.js';
import { BAG_MODEL, spawnCli, temporaryFolder } from '../cli/support.js';
import { ALL, buildShim, leftovers } from './support.js';

beforeAll(ensureBuilt);
const at = temporaryFolder();

const [EIO, EMFILE, ENOSPC, EROFS, EDQUOT] = [5, 24, 28, 30, 122];
const OLD = 'of an earlier run';

const shim = buildShim();
afterAll(() => {
  if (shim !== undefined) rmSync(dirname(shim), { recursive: true });
});

/** Runs freeze with failing calls; the environment is given with node, as its shell would have it. */
async function freeze(faults: Readonly<Record<string, string | number>>, ...args: string[]) {
  const env = Object.entries({ ...faults, LD_PRELOAD: shim! }).map(([name, value]) => `${name}=${value}`);
  const command = ['env', ...env, process.execPath, MAIN, 'freeze', BAG_MODEL, '-q', ...args];
  return spawnCli([], { command });
}

/** What is the same after every failure. */
function expectUnchanged(stderr: string): void {
  expect(stderr).toMatch(/^bnfix: [^\n]+\n( {2}(where|why|fix) +[^\n]+\n)+$/);
  expect(readFileSync(at('out.pb'), 'utf8')).toBe(OLD);
  expect(leftovers(at())).toEqual([]);
}

describe.skipIf(shim === undefined)('calls that fail (skipped without Linux and a C compiler)', () => {
  it.each([
    ['read', '.data-', EIO, 3],
    ['read', '.index', EIO, 3],
    ['read', '.meta', EIO, 3],
    ['open', '.data-', EMFILE, 3],
    ['open', '.index', EMFILE, 3],
    ['open', '.meta', EIO, 3],
    ['open', '.tmp', EMFILE, 6],
    ['open', '.tmp', EROFS, 6],
    ['open', '.tmp', ENOSPC, 6],
    ['write', '.tmp', EIO, 6],
    ['write', '.tmp', ENOSPC, 6],
    ['write', '.tmp', EDQUOT, 6],
    ['sync', '.tmp', EIO, 6],
    ['sync', '.tmp', ENOSPC, 6],
    ['close', '.tmp', EIO, 6],
    ['close', '.tmp', EDQUOT, 6],
    ['rename', '.tmp', EIO, 6],
    ['rename', '.tmp', EROFS, 6],
  ])('%s of %s with error %i: exit %i', async (call, path, error, expected) => {
    writeFileSync(at('out.pb'), OLD);
    const faults = { FAULT_CALL: call, FAULT_PATH: path, FAULT_ERRNO: error };
    const { code, stderr } = await freeze(faults, '-o', at('out.pb'), '--force', '--sync');
    expect(code).toBe(expected);
    expectUnchanged(stderr);
  });

  it('at each of the calls in turn: as if nothing was done, or all', async () => {
    await freeze({}, '-o', at('whole.pb'));
    const whole = readFileSync(at('whole.pb'));
    const figures = { failed: 0, done: 0 };
    for (const call of ['read', 'write', 'open', 'close', 'sync', 'rename', 'link']) {
      for (const path of ['bag-model', '.tmp']) {
        let isDone = false;
        for (let after = 0; !isDone && after < (ALL ? 400 : 3); after++) {
          writeFileSync(at('out.pb'), OLD);
          const faults = { FAULT_CALL: call, FAULT_PATH: path, FAULT_ERRNO: EIO, FAULT_AFTER: after };
          const { code, stderr } = await freeze(faults, '-o', at('out.pb'), '--force', '--sync');
          isDone = code === 0;
          figures[isDone ? 'done' : 'failed']++;
          if (isDone) expect(readFileSync(at('out.pb')).equals(whole)).toBe(true);
          else {
            expect([3, 6]).toContain(code);
            expectUnchanged(stderr);
          }
        }
      }
    }
    console.log(`failing calls: ${JSON.stringify(figures)}`);
  });

  it.each([
    ['a folder', 'out/saved_model.pb', ['out/saved_model.pb', 'out/variables/variables.index']],
    ['a prefix', 'out.meta', ['out.meta', 'out.index']],
  ])('at each of the calls in turn for %s: as if nothing was done, or all', async (_kind, output, files) => {
    await freeze({}, '-o', at(output));
    const contents = () => files.map((file) => readFileSync(at(file), 'utf8'));
    const whole = contents();
    const figures = { failed: 0, done: 0 };
    for (const call of ['write', 'open', 'close', 'sync', 'rename', 'link']) {
      for (const path of ['.tmp', '.old', '.lock']) {
        let isDone = false;
        for (let after = 0; !isDone && after < (ALL ? 400 : 6); after++) {
          for (const file of files) writeFileSync(at(file), OLD);
          const faults = { FAULT_CALL: call, FAULT_PATH: path, FAULT_ERRNO: EIO, FAULT_AFTER: after, FAULT_TIMES: 1 };
          const { code, stderr } = await freeze(faults, '-o', at(output), '--force', '--sync');
          isDone = code === 0;
          figures[isDone ? 'done' : 'failed']++;
          expect(contents()).toEqual(isDone ? whole : files.map(() => OLD));
          if (!isDone) {
            expect(code).toBe(6);
            expect(stderr).toMatch(/^bnfix: [^\n]+\n( {2}(where|why|fix) +[^\n]+\n)+$/);
          }
          expect(leftovers(at())).toEqual([]);
        }
      }
    }
    console.log(`failing calls: ${JSON.stringify(figures)}`);
  });

  it.each([
    ['read', 'bag-model', 1],
    ['read', 'bag-model', 4097],
    ['write', '.tmp', 1000],
    ['write', '.tmp', 7],
  ])('short transfers: %s of %s by %i bytes change nothing', async (call, path, most) => {
    await freeze({}, '-o', at('whole.pb'));
    const { code, stderr } = await freeze(
      { FAULT_CALL: call, FAULT_PATH: path, FAULT_SHORT: most },
      '-o',
      at('out.pb'),
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(readFileSync(at('out.pb')).equals(readFileSync(at('whole.pb')))).toBe(true);
    expect(readdirSync(at()).sort()).toEqual(['out.pb', 'whole.pb']);
  });

  it('a stdout that takes 1000 bytes at once gets all of the graph, and of the report', async () => {
    await freeze({}, '-o', at('whole.pb'));
    const script = (args: string) =>
      `FAULT_CALL=write FAULT_PATH="$OUT" FAULT_SHORT=1000 LD_PRELOAD="$SHIM" "$NODE" "$MAIN" freeze "$M" ${args} > "$OUT"`;
    const env = { SHIM: shim!, NODE: process.execPath, MAIN, M: BAG_MODEL, OUT: at('out') };
    const run = (args: string) => spawnCli([], { command: ['sh', '-c', script(args)], env });
    expect((await run('-o - -q')).code).toBe(0);
    expect(readFileSync(at('out')).equals(readFileSync(at('whole.pb')))).toBe(true);
    expect((await run('--dry-run --json')).code).toBe(0);
    expect(JSON.parse(readFileSync(at('out'), 'utf8')).command).toBe('freeze');
  });
});

describe.skipIf(process.platform !== 'linux')('too few file descriptors', () => {
  it('end with a reason, or do not matter', async () => {
    const figures: Record<string, number> = {};
    for (let limit = 19; limit <= 30; limit++) {
      const { code, stderr } = await spawnCli([], {
        command: [
          'bash',
          '-c',
          `ulimit -n ${limit}; "$0" "$1" freeze "$2" -q -o "$3" --force`,
          process.execPath,
          MAIN,
          BAG_MODEL,
          at('out.pb'),
        ],
      });
      figures[`${code}`] = (figures[`${code}`] ?? 0) + 1;
      // Node itself may not even start.
      if (/bnfix/.test(stderr)) expect([3, 6]).toContain(code);
      else if (stderr === '') expect(code).toBe(0);
      else expect(code).toBe(134);
      expect(leftovers(at())).toEqual([]);
    }
    console.log(`exit codes with 19 to 30 file descriptors: ${JSON.stringify(figures)}`);
  });
});
