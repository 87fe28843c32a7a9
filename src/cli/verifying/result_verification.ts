import { BnfixError } from '../../errors.js';
import type { Args } from '../args.js';
import { DATA_OPTIONS } from '../data/data_options.js';
import { type DataRequest, dataRequest } from '../data/data_request.js';
import { flag, type Option, type OptionTable } from '../option.js';
import { type ProofRequest, proofRequest, TOLERANCE_OPTIONS } from './proof_request.js';

const GROUP = 'Verification';

/** With what a result is verified. */
const WITH: OptionTable = { ...DATA_OPTIONS, ...TOLERANCE_OPTIONS };

/** Options of commands that may verify a result before they write it. */
export const RESULT_VERIFICATION_OPTIONS: OptionTable = {
  verify: flag(GROUP, 'prove the result by running it, as bnfix verify does, before it is written'),
  ...Object.fromEntries(
    Object.entries(WITH).map(([name, option]): [string, Option] => [name, { ...option, group: GROUP }]),
  ),
};

/** How a result is verified before it is written. */
export interface ResultVerification {
  readonly data: DataRequest;
  readonly proof: ProofRequest;
}

/**
 * How a result is to be verified; undefined if it is not.
 * @throws BnfixError `usage` for options that have no effect without `verify`, and when a value cannot be read
 */
export function resultVerification(args: Args): ResultVerification | undefined {
  if (args.flag('verify')) return { data: dataRequest(args), proof: proofRequest(args) };
  const idle = Object.keys(WITH).find((name) => args.strings(name).length > 0);
  if (idle === undefined) return undefined;
  throw new BnfixError('usage', `--${idle} has no effect without --verify`, {
    where: `--${idle}`,
    fix: idle === 'input' ? ['--verify', '--inputs NAMES   (cuts the graph at tensors)'] : '--verify',
  });
}
