// A process that runs models for a consumer: it reads a job a line and answers with a result a line.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Starts a process when there is a job, and again after a crash. */
export class Worker {
  #command;
  #child;
  #lines;
  #ended;
  #seconds;

  /** @param command - [program, ...arguments] @param seconds - that a job may take */
  constructor(command, seconds) {
    this.#command = command;
    this.#seconds = seconds;
  }

  /** The result of a job; a crash or a timeout is a failure of it. */
  async run(job) {
    this.#child ?? this.#start();
    let timer;
    const late = new Promise((done) => {
      timer = setTimeout(() => done(failure('Timeout', `no result in ${this.#seconds} s`)), this.#seconds * 1000);
    });
    const result = this.#lines.next().then(({ value, done }) => (done ? this.#ended : JSON.parse(value)));
    this.#child.stdin.write(`${JSON.stringify(job)}\n`);
    const first = await Promise.race([result, late]);
    clearTimeout(timer);
    if (first.error === 'Timeout' || first.error === 'Crash') this.close();
    return first;
  }

  #start() {
    const [program, ...args] = this.#command;
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.on('error', () => {});
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((done) => {
      child.on('error', ({ message }) => done(failure('Crash', message)));
      child.on('close', (status, signal) =>
        done(failure('Crash', `the process ended: ${signal ?? `exit code ${status}`}`)),
      );
    });
  }

  /** Ends the process. */
  close() {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}

function failure(error, text) {
  return { verdict: 'fails', error, text };
}
