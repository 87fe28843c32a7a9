import type { Options } from 'yargs';
import type { FreezeReport } from '../../freeze_report.js';
import type { LoadedModel } from '../../load.js';
import type { Encoded } from '../../writers/file.js';
import type { Args } from '../args.js';
import { FREEZE_GRAPH_OPTIONS, type FreezeRequest, freezeRequest } from '../freeze_request.js';
import { interruptible } from '../interrupt.js';
import { progressBar } from '../progress.js';
import type { ReportStyle, Written } from '../report.js';
import type { Terminal } from '../terminal.js';

const NAMES = 'What to take';
const STATISTICS = 'Batch norms, dropouts, flags';
const RESULT = 'The result';
const named = (group: string, describe: string): Options => ({ group, describe, type: 'string', requiresArg: true });
const list = (group: string, describe: string): Options => ({ ...named(group, describe), array: true });
const flag = (group: string, describe: string): Options => ({ group, describe, type: 'boolean' });

export const options: Readonly<Record<string, Options>> = {
  output: { ...named(RESULT, 'file to write: .pb, .pbtxt (text), or - for stdout'), alias: 'o' },
  force: flag(RESULT, 'overwrite the file if it is there'),
  'dry-run': flag(RESULT, 'do everything, read and check every weight, but write nothing'),
  outputs: list(NAMES, 'tensors the result has to answer: a,b or a:0 (default: found in the file)'),
  signature: named(NAMES, 'signature whose outputs are taken (default: serving_default, or the only one)'),
  tag: named(NAMES, 'tags of the graph in a SavedModel: serve or train,gpu'),
  inputs: list(NAMES, 'tensors to cut at: each becomes a placeholder'),
  checkpoint: named(NAMES, 'checkpoint to take the values from (default: the one beside the graph)'),
  meta: named(STATISTICS, 'training graph (.meta) of a model that was frozen already, as evidence'),
  ema: flag(STATISTICS, 'take the moving averages of the weights (ExponentialMovingAverage)'),
  set: list(STATISTICS, 'NAME=VALUE: pin a placeholder: is_training=false, keep_prob=1'),
  keep: list(STATISTICS, 'batch norms or dropouts to leave as they are: names or globs'),
  map: list(STATISTICS, 'BN=MEAN,VARIANCE: variables or checkpoint keys of its moving statistics'),
  'allow-untrained': flag(STATISTICS, 'take statistics that were never updated as they are'),
  ...FREEZE_GRAPH_OPTIONS,
};

export const examples = [
  ['bnfix freeze model.meta -o out.pb', 'the checkpoint lies beside it'],
  ['bnfix freeze dir/ -o out.pb --outputs a,b', 'name the outputs'],
  ['bnfix freeze g.pb --checkpoint m-90 -o -', 'graph and values apart, to stdout'],
  ['bnfix freeze model.meta --dry-run -v', 'only look'],
] as const;

export function run(args: Args, terminal: Terminal): Promise<number> {
  return writeResult(args, terminal, {
    load: async () => (await import('../../freeze.js')).freeze,
    done: 'froze the graph',
    text: async () => (await import('../report.js')).reportText,
    command: 'freeze',
  });
}

/** A graph to write, and the report of how it was made. */
interface Result<R extends FreezeReport> {
  readonly graph: LoadedModel['graph'];
  readonly encoded: Encoded & { readonly byteLength: number };
  readonly report: R;
}

/** A command that makes a graph out of a model: its code is loaded when it is run. */
export interface Task<R extends FreezeReport> {
  readonly command: string;
  load(): Promise<(model: LoadedModel, options: FreezeRequest['freeze']) => Result<R>>;
  /** What is said when it is done. */
  readonly done: string;
  text(): Promise<(report: R, written: Written, style: ReportStyle) => string>;
}

/** Makes a graph as a task says, writes it and shows the report. */
export async function writeResult<R extends FreezeReport>(
  args: Args,
  terminal: Terminal,
  task: Task<R>,
): Promise<number> {
  const request = freezeRequest(args);
  const verbose = args.flag('verbose');
  const log = stopwatch(terminal, verbose && !args.flag('quiet'));
  // A result that cannot be written is told before the work, not after it.
  if (request.output === '-') await refuseTerminal(terminal, request);
  else if (request.output !== undefined) {
    const { checkTarget } = await import('../../writers/target.js');
    await checkTarget(request.output, { force: request.force });
  }
  const [{ load }, make] = await Promise.all([import('../../load.js'), task.load()]);
  log('started');
  const { model: path } = request;
  const model = await load(path, request.load);
  log(`read ${path}`);
  try {
    const frozen = make(model, request.freeze);
    log(task.done);
    const written = await write(request, model, frozen, terminal, args.flag('quiet'));
    log(written.path === undefined ? 'read every weight' : `wrote ${written.path}`);
    const report = { ...frozen.report, notes: [...frozen.report.notes, ...written.notes] };
    await show(task, report, written, args, terminal);
    return 0;
  } finally {
    model.close();
  }
}

async function write(
  request: FreezeRequest,
  model: LoadedModel,
  frozen: Pick<Result<FreezeReport>, 'graph' | 'encoded'>,
  terminal: Terminal,
  quiet: boolean,
): Promise<Written> {
  const { output = '-', force, dryRun } = request;
  const [{ writeFile, writeStream, readThrough }, { encodeAs, graphFormat }, { checkTarget }] = await Promise.all([
    import('../../writers/file.js'),
    import('../../writers/graph_file.js'),
    import('../../writers/target.js'),
  ]);
  const format = graphFormat(output);
  const encoded = await encodeAs(format, frozen);
  const inputs = [model.name, ...(model.weights?.files ?? [])];
  const label = dryRun ? 'checking' : `writing ${output === '-' ? 'stdout' : output}`;
  const progress = quiet ? undefined : progressBar(terminal.stderr, label, frozen.encoded.byteLength);
  const bytes = await interruptible(async (signal) => {
    const options = { signal, force, inputs, onProgress: (done: number) => progress?.update(done) };
    try {
      if (dryRun && output !== '-') await checkTarget(output, options);
      if (dryRun) return await readThrough(encoded, options);
      if (output === '-') return await writeStream(terminal.stdout, encoded, { ...options, name: 'stdout' });
      return await writeFile(output, encoded, options);
    } finally {
      progress?.end();
    }
  });
  return { path: dryRun ? undefined : output, format, bytes, notes: encoded.notes ?? [] };
}

async function show<R extends FreezeReport>(
  task: Task<R>,
  report: R,
  written: Written,
  args: Args,
  terminal: Terminal,
): Promise<void> {
  const [{ jsonReport }, reportText] = await Promise.all([import('../report.js'), task.text()]);
  // Where the graph goes to stdout, the report must not.
  const stream = written.path === '-' ? terminal.stderr : terminal.stdout;
  const print = (text: string) => stream.write(`${text}\n`);
  if (args.flag('json')) print(jsonReport(report, written, task.command));
  else if (!args.flag('quiet')) {
    const color = !args.flag('no-color') && terminal.hasColor(stream);
    print(reportText(report, written, { verbose: args.flag('verbose'), color }));
  }
}

async function refuseTerminal(terminal: Terminal, { dryRun, force }: FreezeRequest): Promise<void> {
  if (!terminal.stdout.isTTY || dryRun || force) return;
  const { BnfixError } = await import('../../errors.js');
  throw new BnfixError('usage', 'a binary graph would go to the terminal', {
    where: '-o -',
    fix: '-o FILE, or let another command read it: bnfix freeze ... -o - | COMMAND',
  });
}

/** Says on stderr what took how long. */
function stopwatch(terminal: Terminal, enabled: boolean): (text: string) => void {
  if (!enabled) return () => {};
  let last = performance.now();
  return (text) => {
    const now = performance.now();
    terminal.err(`${text}  (${((now - last) / 1000).toFixed(2)} s)`);
    last = now;
  };
}
