import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt, MAIN } from '../cli/build.js';
import { BAG_MODEL, spawnCli, temporaryFolder } from '../cli/support.js';
import { writeBigModel } from '../support/big_model.js';
import { ALL, CAN_MOUNT, leftovers, mount, sha256 } from './support.js';

beforeAll(ensureBuilt);
const at = temporaryFolder();
const OLD = 'of an earlier run';

describe.skipIf(!CAN_MOUNT)('disks (skipped where mounting is not permitted)', () => {
  it('that is too small: refused before the first byte', async () => {
    mkdirSync(at('disk'));
    const unmount = mount(at('disk'), '-t', 'tmpfs', '-o', 'size=16k', 'tmpfs');
    try {
      const { code, stderr } = await spawnCli(['freeze', BAG_MODEL, '-o', at('disk/out.pb')]);
      expect(code).toBe(6);
      expect(stderr).toContain('not enough space for');
      expect(readdirSync(at('disk'))).toEqual([]);
    } finally {
      unmount?.();
    }
  });

  it('that becomes full while it is written', async () => {
    mkdirSync(at('disk'));
    const unmount = mount(at('disk'), '-t', 'tmpfs', '-o', 'size=40m', 'tmpfs');
    try {
      writeBigModel(at('model.pb'), 32);
      await spawnCli(['freeze', at('model.pb'), '-o', at('whole.pb'), '-q']);
      writeFileSync(at('disk/out.pb'), OLD);
      // Another program takes the space as soon as the first byte is written.
      const script = `"$NODE" "$MAIN" freeze "$M" -q -o "$D/out.pb" --force & run=$!
        while kill -0 $run 2> /dev/null && ! ls -A "$D" | grep -q '^\\.bnfix'; do sleep 0.01; done
        head -c 100M /dev/zero > "$D/filler" 2> /dev/null
        wait $run`;
      const env = { NODE: process.execPath, MAIN, M: at('model.pb'), D: at('disk') };
      const outcomes: Record<string, number> = {};
      for (let i = 0; i < (ALL ? 20 : 2); i++) {
        writeFileSync(at('disk/filler'), '');
        writeFileSync(at('disk/out.pb'), OLD);
        const { code, stderr } = await spawnCli([], { command: ['bash', '-c', script], env });
        outcomes[`${code}`] = (outcomes[`${code}`] ?? 0) + 1;
        expect([0, 6]).toContain(code);
        if (code === 6) {
          expect(stderr).toContain('the disk is full');
          expect(readFileSync(at('disk/out.pb'), 'utf8')).toBe(OLD);
        } else expect(sha256(at('disk/out.pb'))).toBe(sha256(at('whole.pb')));
        expect(leftovers(at('disk'))).toEqual([]);
      }
      console.log(`exit codes on a disk that becomes full: ${JSON.stringify(outcomes)}`);
    } finally {
      unmount?.();
    }
  });

  it('that is read-only', async () => {
    mkdirSync(at('disk'));
    const unmount = mount(at('disk'), '-t', 'tmpfs', '-o', 'ro', 'tmpfs');
    try {
      for (const more of [[], ['--force']]) {
        const { code, stderr } = await spawnCli(['freeze', BAG_MODEL, '-o', at('disk/out.pb'), ...more]);
        expect(code).toBe(6);
        expect(stderr).toContain('the file system is read-only');
      }
    } finally {
      unmount?.();
    }
  });
});

describe.skipIf(process.platform === 'win32')('limits', () => {
  it('of file size, wherever they strike', async () => {
    const env = { NODE: process.execPath, MAIN, M: BAG_MODEL, OUT: at('out.pb') };
    await spawnCli([], { command: ['bash', '-c', '"$NODE" "$MAIN" freeze "$M" -q -o "$OUT"'], env });
    const whole = readFileSync(at('out.pb'));
    for (const kilobytes of ALL ? Array.from({ length: 32 }, (_, i) => i) : [0, 9, 30, 31]) {
      const limited = (target: string) =>
        spawnCli([], {
          command: ['bash', '-c', `ulimit -f ${kilobytes}; "$NODE" "$MAIN" freeze "$M" -q ${target}`],
          env,
        });
      const fits = kilobytes * 1024 >= whole.length;
      writeFileSync(at('out.pb'), OLD);
      expect((await limited('-o "$OUT" --force')).code).toBe(fits ? 0 : 6);
      expect(readFileSync(at('out.pb')).equals(fits ? whole : Buffer.from(OLD))).toBe(true);
      expect((await limited('-o - > "$OUT"')).code).toBe(fits ? 0 : 6);
      expect(readdirSync(at())).toEqual(['out.pb']);
    }
  });
});
