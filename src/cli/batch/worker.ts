// A process that works on the models of a config one after another, as its parent sends them. The build makes it an entry beside index.ts.
import { Writable } from 'node:stream';
import { run } from '../run.js';
import { Terminal } from '../terminal.js';
import { areOwn, isUnchanged } from './record.js';
import type { Task, TaskResult } from './task.js';

let isBusy = false;

process.on('message', async (task: Task) => {
  isBusy = true;
  const result = await resultOf(task);
  isBusy = false;
  process.send?.(result);
});

// The parent is gone: like a signal, this stops what is being written.
process.on('disconnect', () => {
  if (isBusy) process.kill(process.pid, 'SIGTERM');
});

async function resultOf(task: Task): Promise<TaskResult> {
  const { command, model, checkpoint, output, argv, recorded, isSame } = task;
  if (recorded && isSame && (await isUnchanged(recorded, model, checkpoint))) return { status: 'unchanged' };
  // What an earlier run wrote, and nobody changed, may be replaced.
  const isOwn = recorded !== undefined && !argv.includes('--force') && (await areOwn(recorded.written));
  const [stdout, stderr] = [new Collector(), new Collector()];
  const terminal = new Terminal({ stdout, stderr, env: {} });
  const force = isOwn ? ['--force'] : [];
  const exitCode = await run([command, ...argv, `--output=${output}`, ...force, '--json', '--', model], terminal);
  return { status: 'ended', exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

/** A stream that keeps what is written to it. */
class Collector extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
