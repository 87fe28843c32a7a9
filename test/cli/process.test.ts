import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeBigModel } from '../support/big_model.js';
import { ensureBuilt, MAIN } from './build.js';
import { BAG_MODEL, fixture, spawnCli, temporaryFolder } from './support.js';

const at = temporaryFolder();
const isLinux = process.platform === 'linux';
beforeAll(ensureBuilt);

const GIGABYTE = 1024;

describe('a Node.js that is too old', () => {
  it.each([
    ['18.20.8', 5],
    ['20.18.3', 5],
    ['20.19.0', 0],
    ['24.1.0', 0],
  ])('%s: exits with %i and says so in one line', async (version, code) => {
    const preload = at('preload.cjs');
    const versions = `{ value: { ...process.versions, node: '${version}' } }`;
    writeFileSync(preload, `Object.defineProperty(process, 'versions', ${versions});`);
    const command = [process.execPath, '--require', preload, MAIN];
    const stderr = code === 0 ? '' : `bnfix needs Node.js 20.19 or later; this is ${version}\n`;
    expect(await spawnCli(['--version'], { command })).toMatchObject({ code, stderr });
  });
});

describe('the process', () => {
  it('exits with the code of the outcome, and prints all of a long report to a pipe', async () => {
    const { code, stdout } = await spawnCli(['freeze', BAG_MODEL, '-o', at('out.pb'), '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).written.path).toBe(at('out.pb'));
    expect((await spawnCli(['freeze', at('none'), '--dry-run'])).code).toBe(3);
    expect((await spawnCli([])).code).toBe(2);
  });

  it('writes the same bytes to stdout as to a file', async () => {
    await spawnCli(['freeze', BAG_MODEL, '-o', at('out.pb'), '-q']);
    const { code, bytes } = await spawnCli(['freeze', BAG_MODEL, '-o', '-', '-q']);
    expect(code).toBe(0);
    expect(bytes.equals(readFileSync(at('out.pb')))).toBe(true);
  });

  it('is right in any language', async () => {
    const { stderr } = await spawnCli(['freeze', 'x', '--ouput'], {
      env: { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' },
    });
    expect(stderr).toContain('unknown option --ouput');
  });

  // npm makes a script of its own on Windows.
  it.skipIf(process.platform === 'win32')('runs by a link, as npm installs it', async () => {
    symlinkSync(MAIN, at('bnfix'));
    expect((await spawnCli(['--version'], { command: [process.execPath, at('bnfix')] })).stdout).toMatch(/^\d/);
  });
});

describe.runIf(isLinux)('a process that is stopped', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('leaves nothing behind: %s', { timeout: 60_000 }, async (signal) => {
    writeBigModel(at('big.pb'), GIGABYTE);
    const isWriting = () => readdirSync(at()).some((name) => name.endsWith('.tmp') && statSync(at(name)).size > 0);
    const { code, stderr } = await spawnCli(['freeze', at('big.pb'), '-o', at('out.pb')], {
      meanwhile: async (kill) => {
        for (let i = 0; i < 5000 && !isWriting(); i++) await setTimeout(2);
        kill(signal);
      },
    });
    expect(stderr).toBe('bnfix: interrupted before the result was complete\n');
    expect(code).toBe(130);
    expect(readdirSync(at())).toEqual(['big.pb']);
  });
});

describe.runIf(isLinux)('targets that are no plain files', () => {
  const shell = (script: string) =>
    spawnCli([], {
      command: ['sh', '-c', script],
      env: { M: BAG_MODEL, NODE: process.execPath, MAIN, OUT: at('out.pb') },
    });

  it('says that the reader of a pipe has gone', async () => {
    writeBigModel(at('big.pb'), GIGABYTE);
    const { code, stderr } = await spawnCli([], {
      command: [
        'bash',
        '-c',
        `set -o pipefail; "${process.execPath}" "${MAIN}" freeze "${at('big.pb')}" -o - | head -c 9 > /dev/null`,
      ],
    });
    expect(code).toBe(6);
    expect(stderr).toContain('the reading end of the pipe was closed');
  });

  it('a report that nobody reads to its end is no error', async () => {
    const command = ['bash', '-c', `set -o pipefail; "${process.execPath}" "${MAIN}" freeze --help | true`];
    expect((await spawnCli([], { command })).stderr).toBe('');
  });

  it('writes devices in place', async () => {
    expect(await shell('"$NODE" "$MAIN" freeze "$M" -o /dev/full')).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('the disk is full'),
    });
    const { code, bytes } = await shell('"$NODE" "$MAIN" freeze "$M" -q -o /dev/stdout | cat');
    expect(code).toBe(0);
    expect(bytes.length).toBeGreaterThan(20_000);
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
  });

  it('does not pass off a part of the graph as the whole on a stdout that is a file', async () => {
    // 24 KiB of 31: the system writes a part of the chunk, and Node does not mention it.
    const { code, stderr } = await shell('ulimit -f 48; "$NODE" "$MAIN" freeze "$M" -q -o - > "$OUT"');
    expect(code).toBe(6);
    expect(stderr).toContain('bnfix: cannot write stdout');
  });

  it.each([
    ['on a full disk', '> /dev/full', 'the disk is full'],
    ['on a disk that becomes full while it is written', '> "$OUT"', 'ulimit -f'],
  ])('exits with 6 when the report cannot be written %s', async (_, redirection, text) => {
    const { code, stderr } = await shell(`ulimit -f 1; "$NODE" "$MAIN" freeze "$M" --dry-run --json ${redirection}`);
    expect(code).toBe(6);
    expect(stderr).toContain('bnfix: cannot write the report\n');
    expect(stderr).toContain(text);
  });

  it('says so when the working folder was deleted', async () => {
    const { code, stdout, stderr } = await shell(
      'mkdir "$OUT" && cd "$OUT" && rmdir "$OUT" && "$NODE" "$MAIN" freeze "$M" --dry-run --json',
    );
    expect(code).toBe(3);
    expect(stderr).toMatch(/^bnfix: the working folder does not exist\n/);
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'unreadable', exitCode: 3 });
  });

  it('ends at the first signal when nothing reads a named pipe', async () => {
    // It has begun to write when it catches signals, SIGHUP (bit 0) as well; Node.js itself catches SIGTERM.
    const { code } = await shell(`
      mkfifo "$OUT"; "$NODE" "$MAIN" freeze "$M" -o "$OUT" 2> "$OUT.err" &
      until grep -q '^SigCgt:.*[13579bdf]$' /proc/$!/status; do sleep 0.1; done
      sleep 1; kill $!; wait $!`);
    expect(readFileSync(at('out.pb.err'), 'utf8')).toMatch(/^bnfix: interrupted before the result was complete\n$/);
    expect(code).toBe(130);
  });

  it('writes the whole graph into a named pipe', async () => {
    const { code, bytes } = await shell(
      'mkfifo "$OUT"; "$NODE" "$MAIN" freeze "$M" -q -o "$OUT" & cat "$OUT"; wait $!',
    );
    expect(code).toBe(0);
    await spawnCli(['freeze', BAG_MODEL, '-o', at('whole.pb'), '-q']);
    expect(bytes.equals(readFileSync(at('whole.pb')))).toBe(true);
  });

  it('leaves nothing where the system ends the file', async () => {
    const { code, stderr } = await shell('ulimit -f 8; "$NODE" "$MAIN" freeze "$M" -o "$OUT"');
    expect(code).toBe(6);
    expect(stderr).toContain('ulimit -f');
    expect(readdirSync(at())).toEqual([]);
  });
});

describe.runIf(isLinux)('examples/pre_deploy.sh', () => {
  const script = fileURLToPath(new URL('../../examples/pre_deploy.sh', import.meta.url));
  const deploy = (...args: string[]) => spawnCli(args, { command: ['sh', script], env: { BNFIX: MAIN } });
  beforeAll(() => chmodSync(MAIN, 0o755));

  it('freezes a model and keeps the report', async () => {
    const { code, stdout } = await deploy(BAG_MODEL, at('build/my model.pb'), '--outputs', 'output/image_output');
    expect(code).toBe(0);
    expect(stdout).toContain(`pre-deploy: ${at('build/my model.pb')} is frozen`);
    expect(JSON.parse(readFileSync(at('build/my model.pb.json'), 'utf8')).outputReason).toEqual({ code: 'given' });
    expect((await deploy(BAG_MODEL, at('build/my model.pb'))).code).toBe(0);
  });

  it.each<[number, string, () => string[]]>([
    [2, 'correct the arguments', () => [fixture('reader_scope/model.meta'), at('out.pb')]],
    [3, 'get the model again', () => [at('none.meta'), at('out.pb')]],
    [4, 'ask who trained it', () => [fixture('untrained_113/model.meta'), at('out.pb')]],
    [5, 'choose other --outputs', () => [BAG_MODEL, at('out.pb'), '--outputs', 'conv2/BatchNorm/AssignMovingAvg']],
    [6, 'free disk space', () => [BAG_MODEL, '/dev/full']],
  ])('fails the build with %i and says what to do next', async (expected, text, args) => {
    writeFileSync(at('out.pb'), 'of an earlier build');
    const { code, stderr } = await deploy(...args());
    expect(code).toBe(expected);
    expect(stderr).toContain('bnfix: ');
    expect(stderr).toContain(`FAILED (${expected}), do not deploy`);
    expect(stderr).toContain(text);
    expect(readFileSync(at('out.pb'), 'utf8')).toBe('of an earlier build');
    expect(readdirSync(at())).toEqual(['out.pb']);
    expect(existsSync('/dev/full.json')).toBe(false);
  });
});
