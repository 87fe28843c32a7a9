import type Long from 'long';
import { BnfixError } from '../../errors.js';
import { int64 } from '../../graph/numbers.js';

/** The error of a checkpoint file whose bytes contradict its format or its checksums. */
export function corrupt(file: string, what: string, why: string, cause?: unknown): BnfixError {
  return new BnfixError('unreadable', what, {
    where: file,
    why,
    fix: 'the file is corrupt or cut short: copy or download all files of the checkpoint again, or save it again',
    cause,
  });
}

/** Decodes a protobuf message; whatever the decoder throws becomes a {@link corrupt}. */
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
  throw corrupt(file, `${what} is malformed`, `it says ${number} where a size is wanted`);
}

/** Bytes that are read from the front, and what to call them when they are malformed. */
export interface Cursor {
  readonly file: string;
  readonly what: string;
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
}

/** A base-128 varint of up to 64 bits. @throws BnfixError `unreadable` beyond 2^53 or the cursor's end. */
export function readVarint(cursor: Cursor): number {
  let value = 0;
  let scale = 1;
  for (let length = 1; length <= 10 && cursor.at < cursor.end; length++) {
    const byte = cursor.bytes[cursor.at++]!;
    value += (byte & 0x7f) * scale;
    if (byte === 0 && length > 1) {
      // No writer makes these: a corrupt byte that runs into the padding of the footer does.
      throw corrupt(cursor.file, `${cursor.what} is malformed`, 'a number in it is longer than it need be');
    }
    if (byte < 0x80) return count(cursor.file, cursor.what, value);
    scale *= 128;
  }
  throw corrupt(cursor.file, `${cursor.what} is malformed`, 'a number in it does not end');
}
