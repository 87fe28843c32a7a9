import type { TensorSlice } from '../../graph/slices.js';
import { byteString } from '../../io/bytes.js';

/**
 * The key of a part of a tensor (EncodeTensorNameSlice of saved_tensor_slice_util.cc): 0, the name, the
 * rank, then start and length of each dimension, in an encoding that sorts like the values (ordered_code.cc).
 * @returns a byte string, like the keys of a {@link Table}
 */
export function encodeTensorNameSlice(name: string, slice: TensorSlice): string {
  const extents = slice.map(({ start, length }) => signed(start) + signed(length));
  return unsigned(0) + text(name) + unsigned(slice.length) + extents.join('');
}

/** The number of bytes, then the bytes, most significant first. */
function unsigned(value: number): string {
  const bytes = bigEndian(value);
  return String.fromCharCode(bytes.length, ...bytes);
}

/** Bytes 0 and 255 are escaped, so that 0 1 can end the string. */
function text(value: string): string {
  const bytes = byteString(new TextEncoder().encode(value));
  return `${bytes.replace(/[\0\xff]/g, (byte) => (byte === '\0' ? '\0\xff' : '\xff\0'))}\0\x01`;
}

/**
 * One leading 1 bit for each byte of the encoding, a 0 bit, then the value; all bits are inverted for negative values.
 * The only negative value that occurs is -1, the length of a whole dimension.
 */
function signed(value: number): string {
  if (value < 64) return String.fromCharCode(0x80 ^ (value & 0xff));
  let length = 2;
  while (value >= 2 ** (7 * length - 1)) length++;
  const bytes = bigEndian(value);
  const padded = [...new Array<number>(length - bytes.length).fill(0), ...bytes];
  padded[0]! |= (0xff << (8 - length)) & 0xff;
  return String.fromCharCode(...padded);
}

/** Without leading zeros: 0 has no bytes. */
function bigEndian(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return bytes;
}
