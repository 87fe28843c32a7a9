import { BnfixError } from '../errors.js';
import { isWarning } from '../freezing/notices.js';
import type { FreezeReport } from '../freezing/report.js';
import { noticeText } from '../freezing/wording.js';
import { type FileHash, type FileHashes, load, loadHashed } from '../load.js';
import type { LoadedModel } from '../load_sources.js';
import type { Encoded } from '../writers/encoded.js';
import { writeFile } from '../writers/file.js';
import { encodeAs, graphFormat } from '../writers/graph_file.js';
import { verifyPayloads, writeStream } from '../writers/stream.js';
import { checkTarget } from '../writers/target.js';
import type { Args } from './args.js';
import { flagText } from './flags.js';
import type { FreezeRequest } from './freeze_request.js';
import { graphPart } from './graph_part.js';
import { interruptible, uninterrupted } from './interrupt.js';
import { progressBar } from './progress.js';
import { jsonReport, type ReportStyle, type Written } from './report.js';
import type { Terminal } from './terminal.js';

/** A graph to write, and its report. */
interface Result<R extends FreezeReport> {
  readonly graph: LoadedModel['graph'];
  readonly encoded: Encoded & { readonly byteLength: number };
  readonly report: R;
}

/** A command that makes a graph from a model. */
interface Task<R extends FreezeReport> {
  readonly command: string;
  readonly make: (model: LoadedModel, options: FreezeRequest['freeze']) => Result<R>;
  /** The message when it is done. */
  readonly done: string;
  readonly text: (report: R, written: Written, style: ReportStyle) => string;
}

/** Makes the graph of a task, writes it and shows the report. */
export async function writeResult<R extends FreezeReport>(
  task: Task<R>,
  request: FreezeRequest,
  args: Args,
  terminal: Terminal,
): Promise<number> {
  const verbose = args.flag('verbose');
  const log = stopwatch(terminal, verbose && !args.flag('quiet'));
  // Report an unwritable target before the work, not after it.
  if (request.output === '-') refuseTerminal(terminal, request);
  else if (request.output !== undefined) await checkTarget(request.output, { force: request.force });
  log('started');
  const { model: path } = request;
  // Only reports for machines and in detail have hashes: large files take another pass.
  const isHashed = args.flag('json') || verbose;
  const { model, hashes } = isHashed
    ? await loadHashed(path, request.load)
    : { model: await load(path, request.load), hashes: undefined };
  log(`read ${path}`);
  try {
    const frozen = task.make(model, request.freeze);
    log(task.done);
    const written = await write(request, model, hashes, frozen, terminal, args.flag('quiet'));
    log(written.path === undefined ? 'read every weight' : `wrote ${written.path}`);
    await show(task, frozen.report, written, args, terminal);
    return 0;
  } catch (error) {
    const part = verbose ? graphPart(error, model.graph) : undefined;
    if (part !== undefined) terminal.err(part);
    throw error;
  } finally {
    hashes?.stop();
    model.close();
  }
}

async function write(
  request: FreezeRequest,
  model: LoadedModel,
  hashes: FileHashes | undefined,
  frozen: Pick<Result<FreezeReport>, 'graph' | 'encoded'>,
  terminal: Terminal,
  quiet: boolean,
): Promise<Written> {
  const { output = '-', force, sync, verifyWritten, dryRun } = request;
  const format = graphFormat(output);
  const encoded = await encodeAs(format, frozen);
  const label = dryRun ? 'checking' : `writing ${output === '-' ? 'stdout' : output}`;
  const progress = quiet ? undefined : progressBar(terminal.stderr, label, frozen.encoded.byteLength);
  // Only a file has to be cleaned up; otherwise the first ^C ends the process even if nothing reads its output.
  const guard = dryRun || output === '-' ? uninterrupted : interruptible;
  let read: readonly FileHash[] = [];
  const readHashes = async () => {
    read = (await hashes?.all()) ?? [];
  };
  const { bytes, sha256 } = await guard(async (signal) => {
    const onProgress = (done: number) => progress?.update(done);
    const hashing = { sha256: hashes !== undefined, beforeRename: readHashes };
    const options = { ...hashing, signal, force, sync, verifyWritten, inputs: model.files, onProgress };
    try {
      if (dryRun && output !== '-') await checkTarget(output, options);
      if (dryRun) return await verifyPayloads(encoded, options);
      if (output === '-') return await writeStream(terminal.stdout, encoded, { ...options, name: 'stdout' });
      return await writeFile(output, encoded, options);
    } finally {
      progress?.end();
    }
  });
  // Nothing was renamed in place of these.
  if (dryRun || output === '-') await readHashes();
  const notes = encoded.notes ?? [];
  return { path: dryRun ? undefined : output, format, bytes, sha256, verified: verifyWritten, notes, read };
}

async function show<R extends FreezeReport>(
  task: Task<R>,
  report: R,
  written: Written,
  args: Args,
  terminal: Terminal,
): Promise<void> {
  // Warnings go to stderr as well, for users who skip the report.
  const warnings = args.flag('json') ? [] : report.notices.filter(isWarning);
  for (const notice of warnings) terminal.err(`bnfix: warning: ${noticeText(notice, flagText)}`);
  // The report must not mix with a graph on stdout.
  const stream = written.path === '-' ? terminal.stderr : terminal.stdout;
  if (args.flag('json')) await terminal.print(jsonReport(report, written, task.command), stream);
  else if (!args.flag('quiet')) {
    const color = !args.flag('no-color') && terminal.hasColor(stream);
    await terminal.print(task.text(report, written, { verbose: args.flag('verbose'), color }), stream);
  }
}

function refuseTerminal(terminal: Terminal, { dryRun, force }: FreezeRequest): void {
  if (!terminal.stdout.isTTY || dryRun || force) return;
  throw new BnfixError('usage', 'refusing to print a binary graph to the terminal', {
    where: '-o -',
    fix: '-o FILE, or pipe it into a command: bnfix freeze ... -o - | COMMAND',
  });
}

/** Prints on stderr how long each step took. */
function stopwatch(terminal: Terminal, enabled: boolean): (text: string) => void {
  if (!enabled) return () => {};
  let last = performance.now();
  return (text) => {
    const now = performance.now();
    terminal.err(`${text}  (${((now - last) / 1000).toFixed(2)} s)`);
    last = now;
  };
}
