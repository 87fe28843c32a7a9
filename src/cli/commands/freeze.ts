import type { Options } from 'yargs';
import type { FreezeReport } from '../../freeze_report.js';
import type { LoadedModel } from '../../load.js';
import type { Encoded } from '../../writers/file.js';
import type { Args } from '../args.js';
import { FREEZE_GRAPH_OPTIONS, type FreezeRequest, freezeRequest } from '../freeze_request.js';
import { interruptible } from '../interrupt.js';
import { progressBar } from '../progress.js';
import type { Written } from '../report.js';
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

export async function run(args: Args, terminal: Terminal): Promise<number> {
  const request = freezeRequest(args);
  const verbose = args.flag('verbose');
  const log = stopwatch(terminal, verbose && !args.flag('quiet'));
  // A result that cannot be written is told before the work, not after it.
  if (request.output === '-') await refuseTerminal(terminal, request);
  else if (request.output !== undefined) {
    const { checkTarget } = await import('../../writers/target.js');
    await checkTarget(request.output, { force: request.force });
  }
  const [{ load }, { freeze }] = await Promise.all([import('../../load.js'), import('../../freeze.js')]);
  log('started');
  const { model: path } = request;
  const model = await load(path, request.load);
  log(`read ${path}`);
  try {
    const frozen = freeze(model, request.freeze);
    log('froze the graph');
    const written = await write(request, model, frozen, terminal, args.flag('quiet'));
    log(written.path === undefined ? 'read every weight' : `wrote ${written.path}`);
    const report = { ...frozen.report, notes: [...frozen.report.notes, ...written.notes] };
    await show(report, written, args, terminal);
    return 0;
  } finally {
    model.close();
  }
}

async function write(
  request: FreezeRequest,
  model: LoadedModel,
  frozen: { readonly graph: LoadedModel['graph']; readonly encoded: Encoded & { readonly byteLength: number } },
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

async function show(report: FreezeReport, written: Written, args: Args, terminal: Terminal): Promise<void> {
  const { jsonReport, reportText } = await import('../report.js');
  // Where the graph goes to stdout, the report must not.
  const stream = written.path === '-' ? terminal.stderr : terminal.stdout;
  const print = (text: string) => stream.write(`${text}\n`);
  if (args.flag('json')) print(jsonReport(report, written));
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
  let last = performance.now();
  return (text) => {
    const now = performance.now();
    if (enabled) terminal.err(`${text}  (${((now - last) / 1000).toFixed(2)} s)`);
    last = now;
  };
}
