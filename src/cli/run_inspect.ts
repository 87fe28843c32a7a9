import { inspectAnalysis } from '../diagnosis/inspect.js';
import { analyse } from '../freezing/analyse.js';
import { load } from '../load.js';
import { printableData } from '../printable.js';
import type { Args } from './args.js';
import { byteText } from './format.js';
import { inspectionLines } from './inspecting/inspection_lines.js';
import type { ModelRequest } from './model_request.js';
import { reportStyle } from './report_style.js';
import { svgTarget, writeSvg } from './svg_file.js';
import type { Terminal } from './terminal.js';
import { version } from './version.js';

/** Runs `bnfix inspect` with parsed arguments. @returns the exit code */
export async function runInspect(request: ModelRequest, args: Args, terminal: Terminal): Promise<number> {
  // Report an unwritable target before the work, not after it.
  const svg = await svgTarget(args);
  const model = await load(request.model, request.load);
  try {
    const analysis = analyse(model, request.freeze);
    const inspection = inspectAnalysis(analysis);
    const context = { args, terminal, inputs: model.files };
    const drawn = svg === undefined ? undefined : await writeSvg(svg, analysis, inspection, context);
    if (args.flag('json')) {
      await terminal.printJson({ bnfix: version(), command: 'inspect', ...inspection });
    } else if (!args.flag('quiet') && svg !== '-') {
      const { stdout, hasUnicode: unicode } = terminal;
      const [color, width] = [terminal.hasColor(stdout), terminal.width(stdout, 80)];
      const style = reportStyle({ verbose: args.flag('verbose'), color, width, unicode });
      const lines = inspectionLines(printableData(inspection), request.model, style);
      const about = drawn === undefined ? [] : ['', `Drew ${svg} (${byteText(drawn)})`];
      await terminal.print([...lines, ...about]);
    }
    return 0;
  } finally {
    model.close();
  }
}
