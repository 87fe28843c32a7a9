import { EXIT_CODES } from '../errors.js';

/** What the exit code 1 of a command means; other commands do not have it. */
const FINDINGS: Readonly<Record<string, string>> = {
  check: 'a model is affected',
  verify: 'a proof failed, or none could be made',
  freeze: 'with --verify: the result is not proved right, and was not written',
  fold: 'with --verify: the result is not proved right, and was not written',
};

/** The exit codes of a command with what they mean. */
export function exitCodesOf(command: string): [code: number, text: string][] {
  return EXIT_CODE_TEXTS.flatMap(([code, text]) => {
    if (code !== 1) return [[code, text]];
    const finding = FINDINGS[command];
    return finding === undefined ? [] : [[code, finding]];
  });
}

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
