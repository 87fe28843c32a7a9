import type { Args } from '../args.js';
import { type DataRequest, dataRequest } from '../data/data_request.js';
import { type ModelRequest, modelRequest } from '../model_request.js';
import { given, numbersOf, positiveOf } from '../number_options.js';

/** How far values may differ, and which element of batch norms is shown. */
export interface ProofRequest {
  readonly atol?: number;
  readonly rtol?: number;
  readonly at?: readonly number[];
}

/** The parsed arguments of `bnfix verify`. */
export interface VerifyRequest extends ModelRequest {
  /** The repaired or folded file; undefined to repair in memory. */
  readonly fixed: string | undefined;
  readonly data: DataRequest;
  readonly proof: ProofRequest;
  readonly fold: boolean;
  /** The folder to write inputs and outputs to. */
  readonly save: string | undefined;
}

/** @throws BnfixError `usage` when a value cannot be read */
export function verifyRequest(args: Args): VerifyRequest {
  return {
    ...modelRequest(args, 'bnfix verify MODEL'),
    fixed: args.string('FIXED'),
    data: dataRequest(args),
    proof: given<ProofRequest>({
      atol: positiveOf(args, 'atol'),
      rtol: positiveOf(args, 'rtol'),
      at: numbersOf(args, 'at'),
    }),
    fold: args.flag('fold'),
    save: args.string('save'),
  };
}
