import { EXIT_CODES } from '../errors.js';

/** All exit codes with what they mean, for the help. */
export const EXIT_CODE_TEXTS: readonly (readonly [code: number, text: string])[] = [
  [0, 'done'],
  [1, 'check found an affected model, or a graph is not proved right (verify, --verify)'],
  [EXIT_CODES.usage, 'invalid arguments, or the outputs are ambiguous'],
  [EXIT_CODES.unreadable, 'a file of the model is missing, corrupt or of the wrong type'],
  [EXIT_CODES.statistics, 'statistics or variables are missing, untrained or not finite'],
  [EXIT_CODES.unsupported, 'a pattern that bnfix cannot repair'],
  [EXIT_CODES.unwritable, 'the result or the report cannot be written'],
  [EXIT_CODES.internal, 'a bug in bnfix'],
  [EXIT_CODES.interrupted, 'interrupted'],
];
