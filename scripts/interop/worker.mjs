// A process that runs models for a consumer: it reads a job a line and answers with a result a line.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';

/** Starts a process when there is a job, and again after a crash. */
export class Worker {
  #command;
  #child;
  #lines;
  #seconds;

  /** @param command - [program, ...arguments] @param seconds - that a job may take */
  constructor(command, seconds) {
    this.#command = command;
    this.#seconds = seconds;
  }

  /** The result of a job; a crash or a timeout is a failure of it. */
  async run(job) {
    this.#child ?? this.#start();
    const child = this.#child;
    let timer;
    const late = new Promise((done) => {
      timer = setTimeout(() => done({ verdict: 'fails', error: 'Timeout', text: `no answer in ${this.#seconds} s` }), this.#seconds * 1000);
    });
    const dead = new Promise((done) => {
      child.once('close', (status, signal) => done({ verdict: 'fails', error: 'Crash', text: `the process ended: ${signal ?? signalOf(status)}` }));
    });
    const answer = this.#lines.next().then(({ value, done }) => (done ? dead : JSON.parse(value)));
    child.stdin.write(`${JSON.stringify(job)}\n`);
    const result = await Promise.race([answer, dead, late]);
    clearTimeout(timer);
    if (result.error === 'Timeout' || result.error === 'Crash') this.close();
    return result;
  }

  #start() {
    const [program, ...args] = this.#command;
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.on('error', () => {});
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Ends the process. */
  close() {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}

function signalOf(status) {
  const name = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  return name ?? `exit code ${status}`;
}
