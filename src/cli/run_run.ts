import type { FreezeOptions } from '../freezing/options.js';
import { dtypeName } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { printableData } from '../printable.js';
import { runModel } from '../proof/run_model.js';
import { type GraphInput, graphInputs } from '../proof/samples.js';
import { tensorRef, typeOf } from '../run/tensors.js';
import type { WrittenFile } from '../writers/encoded.js';
import { asOption } from './about_option.js';
import type { Args } from './args.js';
import { refuseFixedBatch } from './data/fixed_batch.js';
import { type InputPaths, inputPaths } from './data/input_files.js';
import { inputValues } from './data/input_values.js';
import { ArrayFolder } from './data/saved_arrays.js';
import { writtenData } from './data/written_text.js';
import { makeOrAsk } from './make_or_ask.js';
import { closeModel, openModel } from './open_model.js';
import { styleFor } from './report_style.js';
import { runLines } from './running/run_lines.js';
import { type RunReport, runReport } from './running/run_report.js';
import type { RunRequest } from './running/run_request.js';
import type { Terminal } from './terminal.js';
import { version } from './version.js';

/** Runs `bnfix run` with parsed arguments. @returns the exit code */
export async function runRun(request: RunRequest, args: Args, terminal: Terminal): Promise<number> {
  const paths = inputPaths(request.data.inputs);
  const { pixels, sampling } = request.data;
  const folder = request.save === undefined ? undefined : new ArrayFolder(request.save, ['outputs']);
  const force = args.flag('force');
  // Report an unwritable target before the work, not after it.
  await folder?.check({ force });
  const opened = await openModel(request.model, request.load, false);
  const { model } = opened;
  try {
    const writing = { force, inputs: [...model.files, ...[...paths.values()].flat()] };
    await folder?.check(writing);
    const values = (graph: Graph) => {
      const inputs = graphInputs(graph);
      refuseFixedBatch(sampling, inputs, [...paths.keys()]);
      return inputValues(paths, [...inputs, ...otherTensors(graph, inputs, [...paths.keys()])], pixels);
    };
    const { repaired } = request;
    const run = (freeze: FreezeOptions) => runModel(model, { ...sampling, freeze, repaired, values });
    const { result } = await asOption('outputs', 'fetch', makeOrAsk(run, request.freeze, args, terminal));
    const written = (await folder?.write({ outputs: result.outputs }, writing)) ?? [];
    await show(runReport(result, repaired), paths, written, args, terminal);
    return 0;
  } finally {
    closeModel(opened);
  }
}

/** Tensors that are given values in place of what computes them. */
function otherTensors(graph: Graph, inputs: readonly GraphInput[], names: readonly string[]): GraphInput[] {
  const known = new Set(inputs.map(({ name }) => name));
  return names.flatMap((name) => {
    if (known.has(name) || name === '' || !graph.has(name.replace(/:\d+$/, ''))) return [];
    const dtype = typeOf(graph, tensorRef(graph, name));
    return dtype === undefined ? [] : [{ name, dtype: dtypeName(dtype), shape: undefined }];
  });
}

async function show(
  report: RunReport,
  paths: InputPaths,
  written: readonly WrittenFile[],
  args: Args,
  terminal: Terminal,
): Promise<void> {
  if (args.flag('json')) {
    return terminal.printJson({ bnfix: version(), command: 'run', ...report, written: writtenData(written) });
  }
  if (args.flag('quiet')) return;
  await terminal.print(runLines(printableData(report), paths, printableData(written), styleFor(terminal, args)));
}
