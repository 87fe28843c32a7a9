import { inspect } from '../diagnosis/inspect.js';
import { load } from '../load.js';
import { printableData } from '../printable.js';
import type { Args } from './args.js';
import { inspectionLines } from './inspecting/inspection_lines.js';
import type { ModelRequest } from './model_request.js';
import { reportStyle } from './report_style.js';
import type { Terminal } from './terminal.js';
import { version } from './version.js';

/** Runs `bnfix inspect` with parsed arguments. @returns the exit code */
export async function runInspect(request: ModelRequest, args: Args, terminal: Terminal): Promise<number> {
  const model = await load(request.model, request.load);
  try {
    const inspection = inspect(model, request.freeze);
    if (args.flag('json')) {
      await terminal.printJson({ bnfix: version(), command: 'inspect', ...inspection });
    } else if (!args.flag('quiet')) {
      const { stdout, hasUnicode: unicode } = terminal;
      const [color, width] = [terminal.hasColor(stdout), terminal.width(stdout, 80)];
      const style = reportStyle({ verbose: args.flag('verbose'), color, width, unicode });
      await terminal.print(inspectionLines(printableData(inspection), request.model, style));
    }
    return 0;
  } finally {
    model.close();
  }
}
