import type { BatchCommand } from './config.js';
import type { Recorded } from './record.js';

/** A model to work on, as it is sent to a worker. */
export interface Task {
  readonly command: BatchCommand;
  readonly model: string;
  readonly checkpoint: string | undefined;
  /** Where the result is written. */
  readonly output: string;
  /** The other arguments. */
  readonly argv: readonly string[];
  /** What the last run wrote with the same output. */
  readonly recorded: Recorded | undefined;
  /** Whether the last run had the same arguments and version. */
  readonly isSame: boolean;
}

/** What became of a task. */
export type TaskResult =
  | { readonly status: 'unchanged' }
  /** What the command printed. */
  | { readonly status: 'ended'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  /** The process of the worker ended. */
  | { readonly status: 'crashed'; readonly signal: string; readonly stderr: string };
