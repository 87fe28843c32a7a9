import { fold } from '../freezing/fold.js';
import type { LoadedModel } from '../load_sources.js';
import type { Args } from './args.js';
import { foldReportText } from './fold_report.js';
import type { FreezeRequest } from './freeze_request.js';
import type { Terminal } from './terminal.js';
import { writeResult } from './write_result.js';

/** Runs `bnfix fold` with parsed arguments. @returns the exit code */
export function runFold(request: FreezeRequest, args: Args, terminal: Terminal): Promise<number> {
  const duplicateWeights = args.flag('duplicate-weights');
  const make = (model: LoadedModel, options: FreezeRequest['freeze']) => fold(model, { ...options, duplicateWeights });
  const task = { command: 'fold' as const, make, text: foldReportText };
  return writeResult(task, request, args, terminal);
}
