import { fold } from '../freezing/fold.js';
import type { FreezeOptions } from '../freezing/options.js';
import { load } from '../load.js';
import type { LoadedModel } from '../load_sources.js';
import { printableData } from '../printable.js';
import type { VerifyReport } from '../proof/report.js';
import { verify } from '../proof/verify.js';
import type { Args } from './args.js';
import { makeOrAsk } from './make_or_ask.js';
import { itemProgress } from './progress.js';
import { reportStyle } from './report_style.js';
import type { Terminal } from './terminal.js';
import { inputPaths } from './verifying/input_files.js';
import { inputValues } from './verifying/input_values.js';
import { verifyLines } from './verifying/verify_lines.js';
import type { VerifyRequest } from './verifying/verify_request.js';
import { version } from './version.js';

/** Exit code for a graph that is not proved right. */
const NOT_VERIFIED = 1;
/** How many proofs there are, for the progress. */
const PROOFS = 4;

/** Runs `bnfix verify` with parsed arguments. @returns the exit code */
export async function runVerify(request: VerifyRequest, args: Args, terminal: Terminal): Promise<number> {
  const paths = inputPaths(request.inputs);
  const model = await load(request.model, request.load);
  const fixed = request.fixed === undefined ? undefined : await load(request.fixed);
  try {
    const report = await proved(request, model, fixed, paths, args, terminal);
    await show(report, args, terminal);
    return report.passed ? 0 : NOT_VERIFIED;
  } finally {
    fixed?.close();
    model.close();
  }
}

async function proved(
  request: VerifyRequest,
  model: LoadedModel,
  fixed: LoadedModel | undefined,
  paths: ReturnType<typeof inputPaths>,
  args: Args,
  terminal: Terminal,
): Promise<VerifyReport> {
  const progress = args.flag('quiet') ? undefined : itemProgress(terminal.stderr, 'verifying', PROOFS);
  const prove = (options: FreezeOptions) =>
    verify(model, {
      ...options,
      ...request.numbers,
      shapes: request.shapes,
      values: (inputs) => inputValues(paths, inputs, request.pixels),
      ...(fixed && { fixed: fixed.graph }),
      ...(request.fold && { folded: fold(model, options).graph }),
      onProgress: (done) => progress?.update(done),
    });
  try {
    return (await makeOrAsk(prove, request.freeze, args, terminal)).result;
  } finally {
    progress?.end();
  }
}

async function show(report: VerifyReport, args: Args, terminal: Terminal): Promise<void> {
  if (args.flag('json')) return terminal.printJson({ bnfix: version(), command: 'verify', ...report });
  if (args.flag('quiet') && report.passed) return;
  const color = terminal.hasColor(terminal.stdout);
  const [width, unicode] = [terminal.width(terminal.stdout, 80), terminal.hasUnicode];
  const style = reportStyle({ verbose: args.flag('verbose'), color, width, unicode });
  await terminal.print(verifyLines(printableData(report), args.flag('per-layer'), style));
}
