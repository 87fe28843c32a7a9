import type { Args } from '../args.js';
import { given, positiveOf } from '../number_options.js';
import { named, type OptionTable } from '../option.js';

/** How far values may differ. */
export interface ProofRequest {
  readonly atol?: number;
  readonly rtol?: number;
}

/** Options of commands that verify. */
export const TOLERANCE_OPTIONS: OptionTable = {
  atol: named('Verification', 'NUMBER', 'absolute tolerance (default: 1e-6; with float16 2e-3, bfloat16 2e-2)'),
  rtol: named(
    'Verification',
    'NUMBER',
    'tolerance relative to the largest value (default: 1e-4; with float16 5e-3, bfloat16 5e-2; more in deep nets)',
  ),
};

/** @throws BnfixError `usage` when a value cannot be read */
export function proofRequest(args: Args): ProofRequest {
  return given<ProofRequest>({ atol: positiveOf(args, 'atol'), rtol: positiveOf(args, 'rtol') });
}
