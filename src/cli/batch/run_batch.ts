import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { BnfixError } from '../../errors.js';
import type { Args } from '../args.js';
import { fold } from '../commands/fold.js';
import { freeze } from '../commands/freeze.js';
import { interruptible } from '../interrupt.js';
import { itemProgress } from '../progress.js';
import type { Terminal } from '../terminal.js';
import { version } from '../version.js';
import { modelLines, summaryText } from './batch_lines.js';
import { type BatchReport, batchModel, type Ended, summaryOf } from './batch_report.js';
import { type BatchCommand, CONFIG_NAME, type ConfigEntry, readConfig } from './config.js';
import { runTasks } from './pool.js';
import { madeBy, type Records, readRecords, recordedOf, recordPath, writeRecords } from './record.js';
import type { Task } from './task.js';

/** Options that a command line may have beside `--config`, for all models. */
const FOR_ALL = ['force', 'sync', 'verify', 'verify-written', 'dry-run'] as const;
const BESIDE: readonly string[] = [...FOR_ALL, 'config', 'jobs', 'json', 'quiet', 'q', 'verbose', 'v', 'no-color'];

/** Runs `bnfix freeze --config`: all models of a config, several at a time. @returns the worst exit code */
export async function runBatch(command: BatchCommand, args: Args, terminal: Terminal): Promise<number> {
  refuseOthers(args);
  const jobs = jobsOf(args);
  const path = args.strings('config').find((name) => name !== '') ?? CONFIG_NAME;
  const { entries, folder } = readConfig(path, command, { freeze: freeze.options, fold: fold.options });
  const isDry = args.flag('dry-run');
  const flags = FOR_ALL.filter((name) => args.flag(name)).map((name) => `--${name}`);
  const stateFile = resolve(recordPath(path));
  const records = readRecords(stateFile);
  const tasks = entries.map((entry) => taskOf(entry, flags, records[entry.output], isDry));
  const ended = await runAll(entries, tasks, { jobs, folder, isDry }, args, terminal);
  if (!isDry) await writeRecords(stateFile, recordsOf(ended, entries, records));
  const models = ended.map(({ model }) => model);
  const summary = summaryOf(models);
  if (args.flag('json')) {
    const report: BatchReport = { bnfix: version(), command, config: path, models, summary };
    await terminal.printJson(report);
  } else if (!args.flag('quiet')) await terminal.print([summaryText(summary)]);
  return summary.exitCode;
}

/** Runs the tasks and prints what became of each, in the order of the config. */
async function runAll(
  entries: readonly ConfigEntry[],
  tasks: readonly Task[],
  { jobs, folder, isDry }: { readonly jobs: number; readonly folder: string; readonly isDry: boolean },
  args: Args,
  terminal: Terminal,
): Promise<readonly Ended[]> {
  const isQuiet = args.flag('quiet') || args.flag('json');
  const progress = itemProgress(terminal.stderr, isDry ? 'checking' : 'freezing', tasks.length);
  const ended: Ended[] = [];
  let [printed, done] = [0, 0];
  const printNext = () => {
    for (; ended[printed]; printed++) {
      const { model, messages } = ended[printed]!;
      const isFailed = model.status === 'failed';
      if (isQuiet && !isFailed) continue;
      progress.end();
      // A report for machines has stdout for itself.
      terminal.say(modelLines(model, messages), isQuiet ? terminal.stderr : terminal.stdout);
    }
  };
  await interruptible((signal) =>
    runTasks(tasks, {
      jobs,
      folder,
      signal,
      onResult: (index, result) => {
        ended[index] = batchModel(entries[index]!, result, { isDry, isStopped: signal.aborted });
        printNext();
        progress.update(++done);
      },
    }),
  );
  progress.end();
  for (const [index, entry] of entries.entries())
    ended[index] ??= batchModel(entry, undefined, { isDry, isStopped: true });
  printNext();
  return ended;
}

function taskOf(
  entry: ConfigEntry,
  flags: readonly string[],
  recorded: Records[string] | undefined,
  isDry: boolean,
): Task {
  const { command, model, checkpoint, output, argv } = entry;
  return {
    command,
    model,
    checkpoint,
    output,
    argv: [...argv, ...flags],
    recorded,
    isSame: !isDry && recorded?.made === madeOf(entry),
  };
}

function madeOf({ command, model, output, argv }: ConfigEntry): string {
  return madeBy(version(), [command, model, output, ...argv]);
}

/** What is known of each output after a run. What failed to be replaced may still be there. */
function recordsOf(ended: readonly Ended[], entries: readonly ConfigEntry[], before: Records): Records {
  const records = entries.map((entry, i) => {
    const { model, written } = ended[i]!;
    const recorded = written && recordedOf(written, madeOf(entry));
    return [model.output, recorded ?? before[model.output]] as const;
  });
  return Object.fromEntries(records.filter((each): each is [string, Records[string]] => each[1] !== undefined));
}

/** @throws BnfixError `usage` for anything but a positive number */
function jobsOf(args: Args): number {
  const text = args.string('jobs');
  if (text === undefined) return availableParallelism();
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new BnfixError('usage', `--jobs takes a number, not ${text}`, { where: '--jobs', fix: '--jobs 4' });
}

/** @throws BnfixError `usage` for an option or a model that belongs into the config */
function refuseOthers(args: Args): void {
  const [model] = args.positionals('MODEL');
  const other = args.names().find((name) => !BESIDE.includes(name));
  if (model === undefined && other === undefined) return;
  const what = model ?? `--${other}`;
  throw new BnfixError('usage', `${what} cannot be used together with --config`, {
    where: what,
    why: 'models and their options are in the config',
    fix:
      model === undefined
        ? 'put it into the config'
        : ['leave out --config, or the model', 'bnfix init MODEL   (writes a config)'],
  });
}
