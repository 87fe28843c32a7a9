import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt, MAIN } from '../cli/build.js';
import { BAG_MODEL, spawnCli, temporaryFolder } from '../cli/support.js';
import { writeBigModel } from '../support/big_model.js';
import { ALL, has, leftovers, numbers, sha256 } from './support.js';

beforeAll(ensureBuilt);
const at = temporaryFolder();

/** The hash of a result without faults. */
async function resultOf(model: string): Promise<string> {
  expect((await spawnCli(['freeze', model, '-o', at('whole.pb'), '-q', '--force'])).code).toBe(0);
  return sha256(at('whole.pb'));
}

describe('other programs', () => {
  it('change the model while it is read: the old one, or a refusal', async () => {
    const rounds = ALL ? 200 : 12;
    const megabytes = 64;
    writeBigModel(at('model.pb'), megabytes);
    const whole = await resultOf(at('model.pb'));
    const random = numbers(7);
    const next = () => random.next().value;
    const changes = [
      // A byte of the weights, which have no checksum in a frozen graph.
      () => {
        const file = openSync(at('model.pb'), 'r+');
        writeSync(file, Buffer.from([63]), 0, 1, 4096 + Math.floor(next() * 2 ** 20 * (megabytes - 1)));
        closeSync(file);
      },
      () => truncateSync(at('model.pb'), Math.floor(next() * 2 ** 20 * megabytes)),
      () => writeFileSync(at('model.pb'), 'x'),
    ];
    const figures = { same: 0, refused: 0 };
    for (let i = 0; i < rounds; i++) {
      writeBigModel(at('model.pb'), megabytes);
      const { code, stderr } = await spawnCli(['freeze', at('model.pb'), '-o', at('out.pb'), '-q', '--force'], {
        meanwhile: async () => {
          for (let j = 0; j < 2000 && leftovers(at()).length === 0; j++) await setTimeout(2);
          await setTimeout(next() * 100);
          changes[i % changes.length]!();
        },
      });
      expect([0, 3]).toContain(code);
      if (code === 0) expect(sha256(at('out.pb'))).toBe(whole);
      else expect(stderr).toMatch(/^bnfix: .*model\.pb changed while it was being read\n/);
      figures[code === 0 ? 'same' : 'refused']++;
      expect(leftovers(at())).toEqual([]);
    }
    console.log(`changed models: ${JSON.stringify(figures)}`);
  });

  it('write the same target: one of them, or the last one; always whole', async () => {
    writeBigModel(at('model.pb'), 32);
    const whole = await resultOf(at('model.pb'));
    const run = (...more: string[]) => spawnCli(['freeze', at('model.pb'), '-o', at('out.pb'), '-q', ...more]);
    for (let i = 0; i < (ALL ? 20 : 2); i++) {
      spawnSync('rm', ['-f', at('out.pb')]);
      const codes = (await Promise.all([run(), run(), run()])).map(({ code }) => code);
      expect(codes.sort()).toEqual([0, 6, 6]);
      expect(sha256(at('out.pb'))).toBe(whole);
      const forced = (await Promise.all([run('--force'), run('--force'), run('--force')])).map(({ code }) => code);
      expect(forced).toEqual([0, 0, 0]);
      expect(sha256(at('out.pb'))).toBe(whole);
      expect(leftovers(at())).toEqual([]);
    }
  });

  it.skipIf(process.platform === 'win32')('close the pipe: exit 6 for a graph, no error for a report', async () => {
    writeBigModel(at('model.pb'), 8);
    const env = { NODE: process.execPath, MAIN, M: at('model.pb') };
    const run = (script: string) => spawnCli([], { command: ['bash', '-c', `set -o pipefail; ${script}`], env });
    for (const bytes of [0, 1, 65_536, 1_000_000]) {
      const { code, stderr } = await run(`"$NODE" "$MAIN" freeze "$M" -q -o - | head -c ${bytes} > /dev/null`);
      expect(code).toBe(6);
      expect(stderr).toContain('the reading end of the pipe was closed');
    }
    for (const command of ['--help', 'freeze --help', 'freeze "$M" --dry-run -v', 'freeze "$M" --dry-run --json']) {
      expect((await run(`"$NODE" "$MAIN" ${command} | true`)).stderr).toBe('');
    }
    for (const closed of ['<&-', '>&-', '2>&-', '<&- >&- 2>&-']) {
      expect((await run(`"$NODE" "$MAIN" freeze "$M" --dry-run ${closed}`)).code).toBe(0);
    }
  });

  it.skipIf(!has('strace'))('no file outside of the model is opened (skipped without strace)', async () => {
    for (const folder of ['secret', 'here']) mkdirSync(at(folder));
    const prefix = BAG_MODEL.replace('.meta', '');
    for (const suffix of ['.meta', '.index', '.data-00000-of-00001']) {
      copyFileSync(prefix + suffix, at(`secret/${basename(prefix)}${suffix}`));
    }
    copyFileSync(BAG_MODEL, at(`here/${basename(BAG_MODEL)}`));
    for (const path of [`../secret/${basename(prefix)}`, at(`secret/${basename(prefix)}`)]) {
      writeFileSync(at('here/checkpoint'), `model_checkpoint_path: "${path}"\n`);
      const trace = ['strace', '-f', '-e', 'trace=open,openat,openat2', '-o', at('trace')];
      const { code, stderr } = await spawnCli([], {
        command: [...trace, process.execPath, MAIN, 'freeze', at('here'), '--dry-run'],
      });
      expect(stderr).toContain('names a checkpoint outside of its folder');
      expect(code).toBe(3);
      const opened = readFileSync(at('trace'), 'utf8').split('\n');
      expect(opened.some((line) => line.includes(join(dirname(at('here/x')), 'checkpoint')))).toBe(true);
      expect(opened.filter((line) => line.includes('secret'))).toEqual([]);
    }
  });
});
