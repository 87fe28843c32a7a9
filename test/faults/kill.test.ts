import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt, MAIN } from '../cli/build.js';
import { spawnCli, temporaryFolder } from '../cli/support.js';
import { writeBigModel } from '../support/big_model.js';
import { ALL, leftovers, numbers, sha256 } from './support.js';

beforeAll(ensureBuilt);
const at = temporaryFolder();

const KILLS = ALL ? 500 : 24;
const MEGABYTES = 64;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const;
const POLL_MS = 2;
const OLD = 'of an earlier run';

/** Starts a run and sends the signal: so long after the start, or after the temporary file is there. */
async function kill(args: readonly string[], signal: NodeJS.Signals, wait: number, fromWriting: boolean) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  const ended = new Promise<{ code: number | null; by: string | null }>((resolve) => {
    child.on('close', (code, by) => resolve({ code, by }));
  });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  while (fromWriting && isRunning() && leftovers(at()).length === 0) await setTimeout(POLL_MS);
  await setTimeout(wait);
  const isWriting = leftovers(at()).length > 0;
  child.kill(signal);
  return { ...(await ended), stderr, isWriting };
}

/** What is written: its files, the one that makes the others a model last. */
const RESULTS: readonly (readonly [string, string, readonly string[]])[] = [
  ['a file', 'out.pb', ['out.pb']],
  [
    'a folder',
    'out/saved_model.pb',
    ['out/variables/variables.data-00000-of-00001', 'out/variables/variables.index', 'out/saved_model.pb'],
  ],
  ['a prefix', 'out.meta', ['out.data-00000-of-00001', 'out.index', 'out.meta']],
];

describe.skipIf(process.platform === 'win32').each(RESULTS)('%s', (_kind, output, files) => {
  const main = files.at(-1)!;

  function writeOld(): void {
    rmSync(at('out'), { recursive: true, force: true });
    for (const file of files) {
      mkdirSync(dirname(at(file)), { recursive: true });
      writeFileSync(at(file), OLD);
    }
  }

  /** The hash of the result; undefined without the file that makes it one. */
  const result = () => (existsSync(at(main)) ? files.map((file) => sha256(at(file))).join(' ') : undefined);

  it(`${KILLS} runs that are killed at random moments: nothing half-written has the name of the target`, async () => {
    mkdirSync(at('model'));
    writeBigModel(at('model/model.pb'), MEGABYTES);
    const args = ['freeze', at('model/model.pb'), '-o', at(output), '-q', '--force'];
    const started = performance.now();
    expect((await spawnCli(args)).code).toBe(0);
    const duration = performance.now() - started;
    const whole = result();
    writeOld();
    const old = result();
    const random = numbers(13);
    const next = () => random.next().value;
    const figures = { killed: 0, writing: 0, old: 0, new: 0, none: 0, left: 0 };
    for (let i = 0; i < KILLS; i++) {
      const signal = SIGNALS[i % SIGNALS.length]!;
      if (i % 8 === 0) writeOld();
      const before = leftovers(at()).length;
      const fromWriting = i % 2 === 1;
      const { code, by, stderr, isWriting } = await kill(
        args,
        signal,
        next() * duration * (fromWriting ? 0.5 : 1.1),
        fromWriting,
      );
      if (code !== 0) figures.killed++;
      if (isWriting) figures.writing++;
      // Ended normally, by itself after the signal, or by the signal.
      expect([0, 130, null]).toContain(code);
      if (code === 130) expect(stderr).toBe('bnfix: interrupted before the result was complete\n');
      if (by !== null) expect(by).toBe(signal);
      const found = result();
      // Between two names of several files: nothing that looks like a result; the next run puts the old one back.
      if (found === undefined) expect([signal, files.length]).toEqual(['SIGKILL', 3]);
      else expect([old, whole]).toContain(found);
      figures[found === undefined ? 'none' : found === old ? 'old' : 'new']++;
      const left = leftovers(at()).length - before;
      if (signal === 'SIGKILL') figures.left += Math.max(0, left);
      else expect(left).toBeLessThanOrEqual(0);
    }
    // The next run removes what the killed ones left.
    expect((await spawnCli(args)).code).toBe(0);
    expect(leftovers(at())).toEqual([]);
    expect(result()).toBe(whole);
    expect(readdirSync(at()).length).toBe(1 + new Set(files.map((file) => file.split('/')[0])).size);
    console.log(`kills: ${JSON.stringify({ signals: KILLS, ...figures })}`);
  });
});
