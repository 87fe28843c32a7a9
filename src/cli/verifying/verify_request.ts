import { BnfixError } from '../../errors.js';
import type { Args } from '../args.js';
import { type DataRequest, dataRequest } from '../data/data_request.js';
import { type ModelRequest, modelRequest } from '../model_request.js';
import { given, numbersOf } from '../number_options.js';
import { type ProofRequest, proofRequest } from './proof_request.js';

/** The parsed arguments of `bnfix verify`. */
export interface VerifyRequest extends ModelRequest {
  /** The repaired or folded file; undefined to repair in memory. */
  readonly fixed: string | undefined;
  readonly data: DataRequest;
  readonly proof: ProofRequest & { readonly at?: readonly number[] };
  readonly fold: boolean;
  /** The folder to write inputs and outputs to. */
  readonly save: string | undefined;
}

/** @throws BnfixError `usage` when a value cannot be read */
export function verifyRequest(args: Args): VerifyRequest {
  const request = modelRequest(args, 'bnfix verify MODEL');
  const fixed = args.string('FIXED');
  if (fixed === undefined && request.freeze.outputNames) {
    throw new BnfixError('usage', '--output-names gives the names of another file, and none is given', {
      fix: ['leave it out', 'or name the repaired file: bnfix verify MODEL FIXED --output-names ...'],
    });
  }
  return {
    ...request,
    fixed,
    data: dataRequest(args),
    proof: { ...proofRequest(args), ...given({ at: numbersOf(args, 'at') }) },
    fold: args.flag('fold'),
    save: args.string('save'),
  };
}
