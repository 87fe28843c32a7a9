import type { FreezeReport } from '../../freezing/report.js';
import type { Graph } from '../../graph/graph.js';
import type { LoadedModel } from '../../load_sources.js';
import type { VerificationData } from '../../page/page_data.js';
import type { VerifyReport } from '../../proof/report.js';
import type { Args } from '../args.js';
import { inputPaths } from '../data/input_files.js';
import type { FreezeRequest } from '../freeze_request.js';
import { jsonReport } from '../report.js';
import type { Terminal } from '../terminal.js';
import type { VerifiedResult } from './verify_result.js';

// What is done about `--verify` before a result is written. TensorFlow.js is loaded only then.

/** Exit code for a graph that is not proved right. */
export const NOT_VERIFIED = 1;

/** Files with values that a result is verified with. @throws BnfixError `usage`, `unreadable` */
export function dataFiles({ verification }: FreezeRequest): string[] {
  return verification ? [...inputPaths(verification.data.inputs).values()].flat() : [];
}

/** The proofs of a result, if they are requested. @throws BnfixError like `verify` */
export async function verifiedResult(
  { verification }: FreezeRequest,
  model: LoadedModel,
  result: { readonly graph: Graph; readonly isFolded: boolean },
  options: FreezeRequest['freeze'],
  args: Args,
  terminal: Terminal,
): Promise<VerifiedResult | undefined> {
  if (!verification) return undefined;
  const { verifyResult } = await import('./verify_result.js');
  return verifyResult(model, result, options, verification, terminal, args.flag('quiet'));
}

/** What a page shows of them. */
export async function pageVerification({ report, values }: VerifiedResult): Promise<VerificationData> {
  const { verificationData } = await import('./verification_data.js');
  return verificationData(report, values);
}

/** Says why a result was not written. */
export async function showUnproved(
  command: string,
  report: FreezeReport,
  verification: VerifyReport,
  { destination: { format } }: FreezeRequest,
  args: Args,
  terminal: Terminal,
): Promise<void> {
  const written = { path: undefined, format, files: [], verified: false, notes: [], read: [], verification };
  const stream = args.string('output') === '-' ? terminal.stderr : terminal.stdout;
  if (args.flag('json')) await terminal.printJson(jsonReport(report, written, command), stream);
  const { unprovedLines } = await import('./verify_result.js');
  terminal.err(...unprovedLines(verification, report.kept.length > 0, terminal.messageWidth));
}
