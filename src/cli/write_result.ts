import { BnfixError } from '../errors.js';
import { mainFile } from '../formats/destination.js';
import type { Format, FormatInput } from '../formats/format.js';
import { loadFormat } from '../formats/formats.js';
import { targetOf } from '../formats/write_model.js';
import { isWarning } from '../freezing/notices.js';
import type { FreezeReport } from '../freezing/report.js';
import { noticeText } from '../freezing/wording.js';
import type { FileHash, FileHashes } from '../load.js';
import type { LoadedModel } from '../load_sources.js';
import type { FileData } from '../page/page_data.js';
import { printableData } from '../printable.js';
import { shellQuoted } from '../quoted.js';
import type { PumpOptions, ResultFile, WrittenFile } from '../writers/encoded.js';
import { totalBytes, writeFiles } from '../writers/files.js';
import { checkFiles } from '../writers/files_target.js';
import { verifyPayloads, writeStream } from '../writers/stream.js';
import type { Args } from './args.js';
import { flagText } from './flags.js';
import { type FreezeRequest, proposedName } from './freeze_request.js';
import { graphPart } from './graph_part.js';
import { interruptible, uninterrupted } from './interrupt.js';
import { hanging, wrapped } from './layout.js';
import { makeOrAsk } from './make_or_ask.js';
import { nextLines } from './next_steps.js';
import { closeModel, openModel } from './open_model.js';
import { checkPage, pageTarget, writePage } from './page_file.js';
import { progressBar } from './progress.js';
import { writeRefusalPage } from './refusal_page.js';
import { jsonReport, type Written } from './report.js';
import { type ReportStyle, styleFor } from './report_style.js';
import type { Terminal } from './terminal.js';
import {
  dataFiles,
  NOT_VERIFIED,
  pageVerification,
  showUnproved,
  verifiedResult,
} from './verifying/unwritten_result.js';

/** A graph to write, and its report. */
interface Result<R extends FreezeReport> extends FormatInput {
  readonly report: R;
}

/** A command that makes a graph from a model. */
interface Task<R extends FreezeReport> {
  readonly command: 'freeze' | 'fold' | 'calibrate';
  readonly make: (model: LoadedModel, options: FreezeRequest['freeze']) => Result<R> | Promise<Result<R>>;
  readonly text: (report: R, written: Written, style: ReportStyle) => readonly string[];
  /** What its report warns of besides notices. */
  readonly warnings?: (report: R) => readonly string[];
}

/** Makes the graph of a task, writes it and shows the report. */
export async function writeResult<R extends FreezeReport>(
  task: Task<R>,
  request: FreezeRequest,
  args: Args,
  terminal: Terminal,
): Promise<number> {
  const start = performance.now();
  const verbose = args.flag('verbose');
  const { format: name, path: output } = request.destination;
  const format = await loadFormat(name);
  // Report an unwritable target before the work, not after it.
  if (output === '-') refuseTerminal(terminal, request);
  else if (output !== undefined) await checkFiles(targetOf({ path: output }, format), { force: request.force });
  const page = await pageTarget(args, output);
  const { model: path } = request;
  // Only reports for machines, in detail and as pages have hashes: large files take another pass.
  const isHashed = args.flag('json') || verbose || page !== undefined;
  const { model, hashes } = await openModel(path, request.load, isHashed);
  try {
    if (page !== undefined) await checkPage(page, args, [...model.files, ...dataFiles(request)]);
    const make = (options: FreezeRequest['freeze']) => task.make(model, options);
    const { result: frozen, args: asked, waited, options } = await makeOrAsk(make, request.freeze, args, terminal);
    // What reports and pages read for the first time may be corrupt: that ends the command before anything is written.
    const { report } = frozen;
    if (page !== undefined) readAttrs(model);
    const isFolded = task.command === 'fold';
    const verified = await verifiedResult(request, model, { graph: frozen.graph, isFolded }, options, args, terminal);
    if (verified?.report.passed === false) {
      await showUnproved(task.command, report, verified.report, request, args, terminal);
      return NOT_VERIFIED;
    }
    const proved = verified && { verification: verified.report };
    const written = {
      ...(await write(request, format, model, hashes, frozen, terminal, args.flag('quiet'))),
      ...proved,
    };
    const result = { graph: frozen.graph, report, written: fileOf(written) };
    const verification = page === undefined || !verified ? undefined : await pageVerification(verified);
    const about = { command: task.command, args: asked, model, options, read: written.read, result, verification };
    const writtenPage =
      page === undefined
        ? undefined
        : await writePage(
            page,
            about,
            written.files.map(({ path }) => path),
          );
    const seconds = (performance.now() - start - waited) / 1000;
    const command = request.dryRun ? writingCommand(task.command, request, asked) : undefined;
    await show(task, report, { ...written, page: writtenPage, seconds, command }, args, terminal);
    return 0;
  } catch (error) {
    if (page !== undefined)
      await writeRefusalPage(
        page,
        { command: task.command, args, model, options: request.freeze },
        error,
        hashes,
        terminal,
      );
    const part = verbose ? graphPart(error, model.graph) : undefined;
    if (part !== undefined) terminal.err(...part);
    throw error;
  } finally {
    closeModel({ model, hashes });
  }
}

/** Decodes the attrs of all nodes. @throws BnfixError `unreadable` for corrupt ones */
function readAttrs({ graph }: LoadedModel): void {
  for (const node of graph.nodes()) void node.attr;
}

/** What was written, for a page. */
function fileOf({ path, files }: Written): FileData | undefined {
  return path === undefined ? undefined : { path: path === '-' ? 'stdout' : path, sha256: files.at(-1)?.sha256 };
}

async function write(
  request: FreezeRequest,
  format: Format,
  model: LoadedModel,
  hashes: FileHashes | undefined,
  frozen: FormatInput,
  terminal: Terminal,
  quiet: boolean,
): Promise<Written> {
  const { destination, quantize, force, sync, verifyWritten, dryRun } = request;
  const { path: output = '-' } = destination;
  const files = await format.encode(frozen, { quantize });
  const label = dryRun ? 'checking' : `writing ${output === '-' ? 'stdout' : output}`;
  const progress = quiet ? undefined : progressBar(terminal.stderr, label, totalBytes(files));
  // Only files have to be cleaned up; otherwise the first ^C ends the process even if nothing reads its output.
  const guard = dryRun || output === '-' ? uninterrupted : interruptible;
  let read: readonly FileHash[] = [];
  const readHashes = async () => {
    read = (await hashes?.all()) ?? [];
  };
  const target = targetOf({ path: output }, format);
  const inputs = [...model.files, ...dataFiles(request)];
  const written = await guard(async (signal) => {
    const onProgress = (done: number) => progress?.update(done);
    const hashing = { sha256: hashes !== undefined, beforeRename: readHashes };
    const options = { ...hashing, signal, force, sync, verifyWritten, inputs, onProgress };
    try {
      if (dryRun && output !== '-') await checkFiles(target, options);
      if (dryRun) return await checkPayloads(files, options);
      if (output !== '-') return await writeFiles(target, files, options);
      const bytes = await writeStream(terminal.stdout, files[0]!.encoded, { ...options, name: 'stdout' });
      return [{ path: output, ...bytes }];
    } finally {
      progress?.end();
    }
  });
  // Nothing was renamed in place of these.
  if (dryRun || output === '-') await readHashes();
  return {
    path: dryRun ? undefined : mainFile({ ...destination, path: output }),
    format: format.name,
    files: written,
    verified: verifyWritten,
    notes: [...files.flatMap(({ encoded }) => encoded.notes ?? []), ...roundingNotes(request)],
    read,
  };
}

/** Proofs are made on the graph, before its format rounds weights. */
function roundingNotes({ verification, quantize }: FreezeRequest): string[] {
  if (!verification || quantize === undefined) return [];
  return [
    `The proofs are of the graph before --quantize: that its weights are rounded to ${quantize} is not verified.`,
  ];
}

/** Produces all bytes without writing them, to find all errors of reading. */
async function checkPayloads(files: readonly ResultFile[], options: PumpOptions): Promise<WrittenFile[]> {
  const checked: WrittenFile[] = [];
  for (const { path, encoded } of files) checked.push({ path, ...(await verifyPayloads(encoded, options)) });
  return checked;
}

async function show<R extends FreezeReport>(
  task: Task<R>,
  report: R,
  written: Written,
  args: Args,
  terminal: Terminal,
): Promise<void> {
  // Nothing of a model reaches the text as it is. The commands that follow quote names in their own way.
  const shown = printableData(report);
  // Warnings go to stderr as well, for users who skip the report, or send it to a file.
  const isSeen = !args.flag('quiet') && terminal.stdout.isTTY === true && terminal.stderr.isTTY === true;
  const notices = shown.notices.filter((notice) => isWarning(notice) || isIdle(notice, args));
  const texts = [...notices.map((notice) => noticeText(notice, flagText)), ...(task.warnings?.(shown) ?? [])];
  for (const text of args.flag('json') || isSeen ? [] : texts) {
    const lines = wrapped(`bnfix: warning: ${text}`, terminal.messageWidth - 2);
    terminal.err(...hanging('', lines, 2));
  }
  // The report must not mix with a graph on stdout.
  const stream = written.path === '-' ? terminal.stderr : terminal.stdout;
  if (args.flag('json')) await terminal.printJson(jsonReport(report, written, task.command), stream);
  else if (!args.flag('quiet')) {
    const style = styleFor(terminal, args, stream);
    const lines = task.text(shown, printableData(written), style);
    await terminal.print([...lines, ...nextLines(report, written, style)], stream);
  }
}

/** A checkpoint beside a frozen graph may be there by chance; one that the user names is meant to be used. */
function isIdle({ code }: FreezeReport['notices'][number], args: Args): boolean {
  return code === 'checkpoint_unused' && args.strings('checkpoint').length > 0;
}

/** The command that writes what a dry run checked. */
function writingCommand(command: string, { model, destination }: FreezeRequest, args: Args): string {
  const given = args.given.filter((arg, i) => arg !== '--dry-run' && i !== args.given.indexOf(command));
  const { format, path } = destination;
  const more = path === undefined ? ['-o', proposedName(model, format)] : [];
  return ['bnfix', command, ...given, ...more].map(shellQuoted).join(' ');
}

function refuseTerminal(terminal: Terminal, { dryRun, force }: FreezeRequest): void {
  if (!terminal.stdout.isTTY || dryRun || force) return;
  throw new BnfixError('usage', 'refusing to print a binary graph to the terminal', {
    where: '-o -',
    fix: '-o FILE, or pipe it into a command: bnfix freeze ... -o - | COMMAND',
  });
}
