import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Task, TaskResult } from './task.js';

/** How tasks are run. */
export interface PoolOptions {
  /** How many processes work at the same time. */
  readonly jobs: number;
  /** The folder that paths are relative to. */
  readonly folder: string;
  /** Stops the processes; each cleans up what it has begun to write. */
  readonly signal: AbortSignal;
  /** Called for each task when it has ended. @param index - of the task */
  readonly onResult: (index: number, result: TaskResult) => void;
}

/** How much of what a process printed before it ended is kept. */
const LAST_CHARACTERS = 2000;

/** Runs tasks in processes of their own, which take one after another. A process that ends early is replaced. */
export async function runTasks(tasks: readonly Task[], options: PoolOptions): Promise<void> {
  const waiting = tasks.entries();
  const processes = Array.from({ length: Math.min(options.jobs, tasks.length) }, () => takeTasks(waiting, options));
  await Promise.all(processes);
}

async function takeTasks(waiting: Iterator<[number, Task]>, options: PoolOptions): Promise<void> {
  const { folder, signal, onResult } = options;
  let worker: Worker | undefined;
  const stop = () => worker?.stop();
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted) {
      const next = waiting.next();
      if (next.done) break;
      const [index, task] = next.value;
      worker ??= new Worker(folder);
      const result = await worker.run(task);
      if (result.status === 'crashed') worker = undefined;
      onResult(index, result);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    worker?.release();
  }
}

class Worker {
  readonly #process: ChildProcess;
  #stderr = '';

  constructor(folder: string) {
    this.#process = fork(fileURLToPath(new URL('./worker.cjs', import.meta.url)), [], {
      cwd: folder,
      // ^C in a terminal reaches this process alone, which then stops the others once.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk).slice(-LAST_CHARACTERS);
    });
  }

  run(task: Task): Promise<TaskResult> {
    const child = this.#process;
    return new Promise((resolve) => {
      const finish = (result: TaskResult) => {
        child.off('message', onMessage).off('exit', onExit).off('error', onError);
        resolve(result);
      };
      const onMessage = (result: unknown) => finish(result as TaskResult);
      const onExit = (code: number | null, signal: string | null) =>
        finish({ status: 'crashed', signal: signal ?? `exit code ${code}`, stderr: this.#stderr });
      const onError = (error: Error) => finish({ status: 'crashed', signal: error.message, stderr: this.#stderr });
      child.on('message', onMessage).on('exit', onExit).on('error', onError);
      child.send(task);
    });
  }

  /** Interrupts its task. */
  stop(): void {
    this.#process.kill('SIGTERM');
  }

  /** It has no more tasks, and ends. */
  release(): void {
    if (this.#process.connected) this.#process.disconnect();
    this.#process.stderr?.destroy();
  }
}
