import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt, MAIN } from '../cli/build.js';
import { spawnCli, temporaryFolder } from '../cli/support.js';
import { writeBigModel } from '../support/big_model.js';
import { ALL, leftovers, numbers, sha256 } from './support.js';

beforeAll(ensureBuilt);
const at = temporaryFolder();

const KILLS = ALL ? 500 : 40;
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

describe.skipIf(process.platform === 'win32')('runs that are killed', () => {
  it(`${KILLS} times at random moments: nothing half-written has the name of the target`, async () => {
    writeBigModel(at('model.pb'), MEGABYTES);
    const args = ['freeze', at('model.pb'), '-o', at('out.pb'), '-q', '--force'];
    const started = performance.now();
    expect((await spawnCli(args)).code).toBe(0);
    const duration = performance.now() - started;
    const whole = sha256(at('out.pb'));
    const random = numbers(13);
    const next = () => random.next().value;
    const figures = { killed: 0, writing: 0, old: 0, new: 0, left: 0 };
    for (let i = 0; i < KILLS; i++) {
      const signal = SIGNALS[i % SIGNALS.length]!;
      if (i % 8 === 0) {
        writeFileSync(at('out.pb'), OLD);
      }
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
      if (sha256(at('out.pb')) === whole) figures.new++;
      else {
        expect(readFileSync(at('out.pb'), 'utf8')).toBe(OLD);
        figures.old++;
      }
      const left = leftovers(at()).length - before;
      if (signal === 'SIGKILL') figures.left += Math.max(0, left);
      else expect(left).toBeLessThanOrEqual(0);
    }
    // The next run removes what the killed ones left.
    expect((await spawnCli(args)).code).toBe(0);
    expect(leftovers(at())).toEqual([]);
    expect(sha256(at('out.pb'))).toBe(whole);
    console.log(`kills: ${JSON.stringify({ signals: KILLS, ...figures })}`);
  });
});
