import { BnfixError, EXIT_CODES } from '../../errors.js';
import type { FreezeReport } from '../../freezing/report.js';
import type { FileHash } from '../../load.js';
import { errorData, errorText } from '../show_error.js';
import type { BatchCommand, ConfigEntry } from './config.js';
import type { TaskResult } from './task.js';

/** A model of a config, and what became of it. */
export interface BatchModel {
  readonly model: string;
  readonly output: string;
  readonly command: BatchCommand;
  readonly status: /** The result was written. */
    | 'written'
    /** A dry run: the result could be written. */
    | 'checked'
    /** Neither the model nor its options nor the result have changed since it was written. */
    | 'unchanged'
    | 'failed'
    /** Stopped from outside, or not begun. */
    | 'interrupted';
  /** The exit code of the command alone. */
  readonly exitCode: number;
  /** What the command reports with `--json`; undefined unless something was written or checked. */
  readonly report: FreezeReport | undefined;
  /** The error as `--json` has it. */
  readonly error: object | undefined;
}

/** How many models have which status. */
export type BatchSummary = Readonly<Record<BatchModel['status'] | 'models' | 'exitCode', number>>;

/** The report on all models of a config. */
export interface BatchReport {
  readonly bnfix: string;
  readonly command: BatchCommand;
  readonly config: string;
  /** In the order of the config. */
  readonly models: readonly BatchModel[];
  readonly summary: BatchSummary;
}

/** Counts the models; the exit code is the worst of theirs. */
export function summaryOf(models: readonly BatchModel[]): BatchSummary {
  const count = (wanted: BatchModel['status']) => models.filter(({ status }) => status === wanted).length;
  return {
    models: models.length,
    written: count('written'),
    checked: count('checked'),
    unchanged: count('unchanged'),
    failed: count('failed'),
    interrupted: count('interrupted'),
    exitCode: Math.max(0, ...models.map(({ exitCode }) => exitCode)),
  };
}

/** A model that was worked on, and what the report does not have. */
export interface Ended {
  readonly model: BatchModel;
  /** What the command printed on stderr: the text of its error. */
  readonly messages: string;
  /** The files that were read and written, if the result was. */
  readonly written: WrittenReport | undefined;
}

/** The files in the report of a command. */
export interface WrittenReport {
  readonly read: readonly FileHash[];
  readonly written: (FileHash & { readonly files?: readonly FileHash[] | null }) | null;
}

/** What became of a model. @param result - undefined if it was not begun */
export function batchModel(
  { model, output, command }: ConfigEntry,
  result: TaskResult | undefined,
  { isDry, isStopped }: { readonly isDry: boolean; readonly isStopped: boolean },
): Ended {
  const as = (status: BatchModel['status'], exitCode: number, more: Partial<Ended & BatchModel> = {}): Ended => ({
    model: { model, output, command, status, exitCode, report: more.report, error: more.error },
    messages: more.messages ?? '',
    written: more.written,
  });
  const isInterrupted = result === undefined || (isStopped && result.status === 'crashed');
  if (isInterrupted) return as('interrupted', EXIT_CODES.interrupted);
  if (result.status === 'unchanged') return as('unchanged', 0);
  if (result.status === 'crashed') {
    const error = crash(result.signal, result.stderr);
    return as('failed', EXIT_CODES.internal, { error: errorData(error), messages: errorText(error) });
  }
  const { exitCode, stdout, stderr: messages } = result;
  if (exitCode === EXIT_CODES.interrupted) return as('interrupted', exitCode);
  const printed = JSON.parse(stdout) as { readonly error?: object } & FreezeReport & WrittenReport;
  if (exitCode !== 0) return as('failed', exitCode, { error: printed.error, messages });
  return as(isDry ? 'checked' : 'written', 0, { report: printed, written: isDry ? undefined : printed });
}

function crash(how: string, stderr: string): BnfixError {
  const isMemory = /heap out of memory|SIGKILL/.test(stderr + how);
  return new BnfixError('internal', `the process that worked on it ended (${how})`, {
    why: stderr
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(0, 3),
    fix: isMemory ? 'the memory may be too small for so many models at a time: --jobs 1' : 'please report it',
  });
}
