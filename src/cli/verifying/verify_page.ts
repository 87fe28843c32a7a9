import type { FreezeOptions } from '../../freezing/options.js';
import { type FileHash, hashFile } from '../../load.js';
import type { VerifyReport } from '../../proof/report.js';
import type { VerifiedValues } from '../../proof/verified_values.js';
import type { Args } from '../args.js';
import type { InputPaths } from '../data/input_files.js';
import type { OpenedModel } from '../open_model.js';
import { type WrittenPage, writePage } from '../page_file.js';
import { verificationData } from './verification_data.js';

/** A verification, and what it was made of. */
export interface Verified {
  readonly report: VerifyReport;
  readonly values: VerifiedValues | undefined;
  readonly args: Args;
  readonly options: FreezeOptions;
  readonly opened: OpenedModel;
  /** The file that was verified, if it was not made in memory. */
  readonly fixed: OpenedModel | undefined;
  readonly paths: InputPaths;
}

/** Writes the page of a verification. @throws BnfixError `unwritable` when it cannot be written */
export async function writeVerifyPage(path: string, verified: Verified): Promise<WrittenPage> {
  const { report, values, args, options, opened, fixed, paths } = verified;
  const inputs: FileHash[] = [];
  // One after the other: a folder may have more files than a process may open.
  for (const file of [...paths.values()].flat()) inputs.push(await hashFile(file));
  const hashes = [opened, fixed].map(async (each) => (await each?.hashes?.all()) ?? []);
  const read = [...(await Promise.all(hashes)).flat(), ...inputs];
  const verification = verificationData(report, values);
  return writePage(path, { command: 'verify', args, model: opened.model, options, read, verification });
}
