import { type CalibratedModel, calibrate } from '../calibration/calibrate.js';
import type { CalibrateReport } from '../calibration/report.js';
import type { LoadedModel } from '../load_sources.js';
import type { Args } from './args.js';
import { calibrateReportText, calibrationNoticeText } from './calibrating/calibrate_lines.js';
import type { CalibrateRequest } from './calibrating/calibrate_request.js';
import { exampleData } from './calibrating/example_files.js';
import { inputPaths } from './data/input_files.js';
import { itemProgress, type Progress } from './progress.js';
import type { Terminal } from './terminal.js';
import { writeResult } from './write_result.js';

/** Runs `bnfix calibrate` with parsed arguments. @returns the exit code */
export function runCalibrate(request: CalibrateRequest, args: Args, terminal: Terminal): Promise<number> {
  const paths = inputPaths(request.inputs);
  const make = async (model: LoadedModel, options: CalibrateRequest['freeze']): Promise<CalibratedModel> => {
    const progress = args.flag('quiet') ? undefined : new GrowingProgress(terminal);
    try {
      return await calibrate(model, {
        ...options,
        ...request.calibrate,
        data: (inputs) => exampleData(paths, inputs, request.pixels),
        onProgress: (done, total) => progress?.update(done, total),
      });
    } finally {
      progress?.end();
    }
  };
  const warnings = ({ calibration }: CalibrateReport) => calibration.notices.map(calibrationNoticeText);
  const task = { command: 'calibrate' as const, make, text: calibrateReportText, warnings };
  return writeResult<CalibrateReport>(task, request, args, terminal);
}

/** The progress of work that may turn out to be more. */
class GrowingProgress {
  readonly #terminal: Terminal;
  #line: Progress | undefined;
  #total = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  update(done: number, total: number): void {
    if (total !== this.#total) {
      this.#line?.end();
      this.#line = itemProgress(this.#terminal.stderr, 'calibrating', total);
      this.#total = total;
    }
    this.#line?.update(done);
  }

  end(): void {
    this.#line?.end();
  }
}
