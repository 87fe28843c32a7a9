import { fold } from '../freezing/fold.js';
import type { FreezeOptions } from '../freezing/options.js';
import { printableData } from '../printable.js';
import { fixedGraph } from '../proof/fixed_graph.js';
import type { VerifiedValues } from '../proof/verified_values.js';
import { verify } from '../proof/verify.js';
import type { TensorValues } from '../run/value.js';
import type { WrittenFile } from '../writers/encoded.js';
import type { Args } from './args.js';
import { refuseFixedBatch } from './data/fixed_batch.js';
import { inputPaths } from './data/input_files.js';
import { inputValues } from './data/input_values.js';
import { ArrayFolder } from './data/saved_arrays.js';
import { writtenData, writtenText } from './data/written_text.js';
import { makeOrAsk } from './make_or_ask.js';
import { closeModel, type OpenedModel, openModel } from './open_model.js';
import { checkPage, pageTarget, type WrittenPage } from './page_file.js';
import { itemProgress } from './progress.js';
import { writeRefusalPage } from './refusal_page.js';
import { styleFor } from './report_style.js';
import type { Terminal } from './terminal.js';
import { exchangedHint, verifyLines } from './verifying/verify_lines.js';
import { type Verified, writeVerifyPage } from './verifying/verify_page.js';
import type { VerifyRequest } from './verifying/verify_request.js';
import { version } from './version.js';

/** Exit code for a graph that is not proved right. */
const NOT_VERIFIED = 1;
/** How many proofs there are, for the progress. */
const PROOFS = 4;

/** The models of a verification, and the files with the values of inputs. */
type Given = Pick<Verified, 'opened' | 'fixed' | 'paths'>;

/** Runs `bnfix verify` with parsed arguments. @returns the exit code */
export async function runVerify(request: VerifyRequest, args: Args, terminal: Terminal): Promise<number> {
  const paths = inputPaths(request.data.inputs);
  // Report an unwritable page before the work, not after it.
  const page = await pageTarget(args);
  const folder = request.save === undefined ? undefined : new ArrayFolder(request.save, ARRAYS);
  const force = args.flag('force');
  await folder?.check({ force });
  const open = (path: string, options = {}) => openModel(path, options, page !== undefined);
  const opened = await open(request.model, request.load);
  let fixed: OpenedModel | undefined;
  try {
    if (request.fixed !== undefined) fixed = await open(request.fixed);
    const inputs = filesOf({ opened, fixed, paths });
    if (page !== undefined) await checkPage(page, args, inputs);
    await folder?.check({ force, inputs });
    const verified = await proved(request, { opened, fixed, paths }, args, terminal);
    const arrays = (await folder?.write(arraysOf(verified), { force, inputs })) ?? [];
    const written = page === undefined ? undefined : await writeVerifyPage(page, verified);
    await show(verified, arrays, written, terminal);
    return verified.report.passed ? 0 : NOT_VERIFIED;
  } catch (error) {
    const subject = { command: 'verify', args, model: opened.model, options: request.freeze } as const;
    if (page !== undefined) await writeRefusalPage(page, subject, error, opened.hashes, terminal);
    throw error;
  } finally {
    for (const each of [fixed, opened]) if (each) closeModel(each);
  }
}

/** Files with arrays: what the graphs were run with, and what each outputs. */
const ARRAYS = ['inputs', 'before', 'after', 'folded'] as const;

function arraysOf({ values }: Verified): Record<string, TensorValues> {
  const found = ARRAYS.flatMap((name) => {
    const arrays = values?.[name];
    return arrays ? [[name, arrays] as const] : [];
  });
  return Object.fromEntries(found);
}

function filesOf({ opened, fixed, paths }: Given): string[] {
  return [...opened.model.files, ...(fixed?.model.files ?? []), ...[...paths.values()].flat()];
}

async function proved(request: VerifyRequest, given: Given, args: Args, terminal: Terminal): Promise<Verified> {
  const { opened, fixed, paths } = given;
  const progress = args.flag('quiet') ? undefined : itemProgress(terminal.stderr, 'verifying', PROOFS);
  let values: VerifiedValues | undefined;
  const prove = (options: FreezeOptions) =>
    verify(opened.model, {
      ...options,
      ...request.data.sampling,
      ...request.proof,
      values: (inputs) => {
        refuseFixedBatch(request.data.sampling, inputs, [...paths.keys()]);
        return inputValues(paths, inputs, request.data.pixels);
      },
      ...(fixed && { fixed: fixedGraph(fixed.model, opened.model, options) }),
      ...(request.fold && { folded: fold(opened.model, withoutNames(options)).graph }),
      onProgress: (done) => progress?.update(done),
      onValues: (all) => {
        values = all;
      },
    });
  try {
    const { result, args: asked, options } = await makeOrAsk(prove, request.freeze, args, terminal);
    return { ...given, report: result, values, args: asked, options };
  } finally {
    progress?.end();
  }
}

/** Graphs made in memory have the names of the model. */
function withoutNames({ outputNames: _, ...options }: FreezeOptions): FreezeOptions {
  return options;
}

async function show(
  { report, args, paths, fixed, options }: Verified,
  arrays: readonly WrittenFile[],
  page: WrittenPage | undefined,
  terminal: Terminal,
): Promise<void> {
  if (args.flag('json')) {
    return terminal.printJson({ bnfix: version(), command: 'verify', ...report, written: writtenData(arrays) });
  }
  if (args.flag('quiet') && report.passed) return;
  const style = styleFor(terminal, args);
  const lines = verifyLines(printableData(report), paths, args.flag('per-layer'), style);
  if (fixed && !options.outputNames) lines.push(...exchangedHint(printableData(report), style));
  const written = [...arrays, ...(page ? [page] : [])];
  if (written.length > 0) lines.push('', ...writtenText(printableData(written), style));
  await terminal.print(lines);
}
