import type Long from 'long';
import { BnfixError } from '../../errors.js';
import { int64 } from '../../graph/numbers.js';

/** The error for a checkpoint file that contradicts its format or its checksums. */
export function corrupt(file: string, what: string, why: string, cause?: unknown): BnfixError {
  return new BnfixError('unreadable', what, {
    where: file,
    why,
    fix: 'the file is corrupt or truncated: copy or download all files of the checkpoint again, or save it again',
    cause,
  });
}

/** Decodes a protobuf message. @throws BnfixError {@link corrupt} for any error of the decoder */
export function decodeMessage<T>(file: string, what: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw corrupt(file, `${what} is malformed`, (cause as Error).message, cause);
  }
}

/** An int64 field that counts something: checked to be a safe integer that is not negative. */
export function count(file: string, what: string, value: number | Long | null | undefined): number {
  const number = int64(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw corrupt(file, `${what} is malformed`, `${number} is not a valid size`);
}
