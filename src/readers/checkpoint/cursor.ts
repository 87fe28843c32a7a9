import { corrupt, count } from './checkpoint_errors.js';

/** Bytes with a read position, and their name in error messages. */
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
      // Writers never produce these; a corrupt byte in front of the padding of the footer does.
      throw corrupt(cursor.file, `${cursor.what} is malformed`, 'a number in it is longer than necessary');
    }
    if (byte < 0x80) return count(cursor.file, cursor.what, value);
    scale *= 128;
  }
  throw corrupt(cursor.file, `${cursor.what} is malformed`, 'a number in it is not terminated');
}
