import { BnfixError } from '../../src/errors.js';

/** The BnfixError that `run` throws; anything else fails the test. */
export function failure(run: () => unknown): BnfixError {
  try {
    run();
  } catch (error) {
    if (error instanceof BnfixError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
