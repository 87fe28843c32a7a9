import { freeze } from '../freezing/freeze.js';
import type { Args } from './args.js';
import type { FreezeRequest } from './freeze_request.js';
import { reportText } from './report.js';
import type { Terminal } from './terminal.js';
import { writeResult } from './write_result.js';

/** Runs `bnfix freeze` with parsed arguments. @returns the exit code */
export function runFreeze(request: FreezeRequest, args: Args, terminal: Terminal): Promise<number> {
  const task = { command: 'freeze' as const, make: freeze, text: reportText };
  return writeResult(task, request, args, terminal);
}
