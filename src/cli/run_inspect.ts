import { inspectAnalysis } from '../diagnosis/inspect.js';
import { analyse } from '../freezing/analyse.js';
import { load, loadHashed } from '../load.js';
import { printableData } from '../printable.js';
import type { Args } from './args.js';
import { byteText } from './format.js';
import { inspectionLines } from './inspecting/inspection_lines.js';
import type { ModelRequest } from './model_request.js';
import { pageTarget, writePage } from './page_file.js';
import { reportStyle } from './report_style.js';
import { svgTarget, writeSvg } from './svg_file.js';
import type { Terminal } from './terminal.js';
import { version } from './version.js';

/** Runs `bnfix inspect` with parsed arguments. @returns the exit code */
export async function runInspect(request: ModelRequest, args: Args, terminal: Terminal): Promise<number> {
  // Report an unwritable target before the work, not after it.
  const [svg, page] = [await svgTarget(args), await pageTarget(args)];
  // Only pages have hashes: large files take another pass.
  const { model, hashes } =
    page === undefined
      ? { model: await load(request.model, request.load), hashes: undefined }
      : await loadHashed(request.model, request.load);
  try {
    const analysis = analyse(model, request.freeze);
    const inspection = inspectAnalysis(analysis);
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
      const { stdout, hasUnicode: unicode } = terminal;
      const [color, width] = [terminal.hasColor(stdout), terminal.width(stdout, 80)];
      const style = reportStyle({ verbose: args.flag('verbose'), color, width, unicode });
      const lines = inspectionLines(printableData(inspection), request.model, style);
      await terminal.print([...lines, ...(about.length > 0 ? ['', ...about] : [])]);
    }
    return 0;
  } finally {
    hashes?.stop();
    model.close();
  }
}
