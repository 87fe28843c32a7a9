// Worker processes: each runs one mutant at a time, and is ended when that takes too long.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpuOf } from './resources.mjs';
import { cpuLimit } from './run_mutant.mjs';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
/** A worker is replaced after so many mutants, so that one cannot disturb all that follow. */
const LIFE = 2000;
const HEAP_MB = 1500;
const POLL_MS = 500;
/** CPU seconds for the mutant to be made. */
const MAKING = 120;

/** A process that runs mutants one after another; {@link run} starts it again when it has died. */
export class Worker {
  #child;
  #ran = 0;

  /** @returns what worker.mjs found about the mutant of a message, or { fault } if the process died or was stopped */
  run(message) {
    if (!this.#child?.connected || this.#ran >= LIFE) this.#start();
    this.#ran++;
    const child = this.#child;
    return new Promise((resolve) => {
      let before = cpuOf(child.pid) ?? 0;
      let limit = MAKING;
      let stderr = '';
      const end = (result) => {
        clearInterval(timer);
        child.removeAllListeners();
        child.stderr.removeAllListeners();
        child.stderr.resume();
        resolve(result);
      };
      const timer = setInterval(() => {
        const used = (cpuOf(child.pid) ?? 0) - before;
        if (used <= limit + 1) return;
        child.kill('SIGKILL');
        this.#child = undefined;
        end({ fault: 'takes too much CPU time', cpu: used });
      }, POLL_MS);
      child.stderr.on('data', (data) => {
        stderr = (stderr + data).slice(-4000);
      });
      child.on('message', (found) => {
        if (!found.started) return end(found);
        before = cpuOf(child.pid) ?? before;
        limit = cpuLimit(found.bytes);
      });
      child.on('exit', (code, signal) => {
        this.#child = undefined;
        const why = /heap out of memory|Invalid array length|(FATAL ERROR: .*)|(\w*Error: .*)/.exec(stderr)?.[0] ?? '';
        end({ fault: `the process died (${signal ?? code}) ${why.replace(/\d+/g, 'N')}`.trim(), stderr });
      });
      child.send(message);
    });
  }

  stop() {
    if (this.#child?.connected) this.#child.disconnect();
    this.#child = undefined;
  }

  #start() {
    this.stop();
    this.#ran = 0;
    const execArgv = [`--max-old-space-size=${HEAP_MB}`];
    // Mutants are sent with their bytes.
    this.#child = fork(WORKER, [], { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced' });
  }
}
