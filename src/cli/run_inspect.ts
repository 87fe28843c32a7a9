import { inspectAnalysis } from '../diagnosis/inspect.js';
import type { Inspection } from '../diagnosis/inspection.js';
import { BnfixError } from '../errors.js';
import { analyse } from '../freezing/analyse.js';
import type { Analysis } from '../freezing/analysis.js';
import { byteText } from '../freezing/text.js';
import type { Model } from '../graph/model.js';
import { loadHashed } from '../load.js';
import { loadLeniently } from '../load_leniently.js';
import type { LoadedModel } from '../load_sources.js';
import { printableData } from '../printable.js';
import type { Args } from './args.js';
import { inspectionLines } from './inspecting/inspection_lines.js';
import type { ModelRequest } from './model_request.js';
import { pageTarget, writePage } from './page_file.js';
import { styleFor } from './report_style.js';
import { svgTarget, writeSvg } from './svg_file.js';
import type { Terminal } from './terminal.js';
import { version } from './version.js';

/** Runs `bnfix inspect` with parsed arguments. @returns the exit code */
export async function runInspect(request: ModelRequest, args: Args, terminal: Terminal): Promise<number> {
  // Report an unwritable target before the work, not after it.
  const [svg, page] = [await svgTarget(args), await pageTarget(args)];
  // Only pages have hashes: large files take another pass.
  const { model, hashes, problem: notLoaded } = await loaded(request, page !== undefined);
  try {
    const { analysis, inspection, problem } = inspected(model, request);
    const unreadable = problem ?? notLoaded;
    if (unreadable) {
      terminal.err(`bnfix: warning: shown without the checkpoint, which cannot be used: ${unreadable.message}`);
    }
    const context = { args, terminal, inputs: model.files };
    const drawn = svg === undefined ? undefined : await writeSvg(svg, analysis, inspection, context);
    const about = drawn === undefined ? [] : [`Drew ${svg} (${byteText(drawn)})`];
    if (page !== undefined) {
      const read = (await hashes?.all()) ?? [];
      const subject = { command: 'inspect', args, model, options: request.freeze, analysis, read } as const;
      const { bytes } = await writePage(page, subject);
      about.push(`Wrote ${page} (${byteText(bytes)})`);
    }
    if (args.flag('json')) {
      await terminal.printJson({ bnfix: version(), command: 'inspect', ...inspection });
    } else if (!args.flag('quiet') && svg !== '-') {
      const lines = inspectionLines(printableData(inspection), request.model, styleFor(terminal, args));
      await terminal.print([...lines, ...(about.length > 0 ? ['', ...about] : [])]);
    }
    return 0;
  } finally {
    hashes?.stop();
    model.close();
  }
}

/** Loads a model; without its checkpoint if that cannot be read, unless hashes of all files are needed. */
async function loaded({ model: path, load }: ModelRequest, isHashed: boolean) {
  if (isHashed) return { ...(await loadHashed(path, load)), problem: undefined };
  return { ...(await loadLeniently(path, path, load)), hashes: undefined };
}

interface Inspected {
  readonly analysis: Analysis;
  readonly inspection: Inspection;
  /** Why the checkpoint was left out, if it was. */
  readonly problem: BnfixError | undefined;
}

/** Inspects a model; if its checkpoint turns out to be unusable, and the user did not name it, without it. */
function inspected(model: LoadedModel, { load, freeze }: ModelRequest): Inspected {
  const inspectedAs = (one: Model) => {
    const analysis = analyse(one, freeze);
    return { analysis, inspection: inspectAnalysis(analysis) };
  };
  try {
    return { ...inspectedAs(model), problem: undefined };
  } catch (error) {
    // One of another model is a usage error that lists those which fit.
    const isUnusable =
      error instanceof BnfixError && (error.code === 'unreadable' || error.data?.fitting !== undefined);
    if (!isUnusable || !model.checkpoint || load.checkpoint !== undefined) throw error;
    return { ...inspectedAs({ ...model, checkpoint: undefined, objectKeys: undefined }), problem: error };
  }
}
