import type { WireWriter } from './wire_writer.js';

const [LINE_FEED, BACKSLASH, ZERO] = [10, 92, 48];

/** The byte that a letter or mark behind a backslash stands for. */
const SHORT = new Map(
  Object.entries({ a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '?': 63, '\\': 92, "'": 39, '"': 34 }).map(
    ([char, byte]) => [char.charCodeAt(0), byte],
  ),
);

/** Digits of `\u` and `\U`, which stand for a character. */
const CODE_POINT_DIGITS = new Map([
  ['u'.charCodeAt(0), 4],
  ['U'.charCodeAt(0), 8],
]);

/**
 * Writes the bytes that a string of the text format stands for.
 *
 * @param start - where its first quote is in `text`
 * @param error - makes the error for a message
 * @returns the position behind its last quote
 */
export function writeString(
  text: Uint8Array,
  start: number,
  out: WireWriter,
  error: (message: string) => Error,
): number {
  const quote = text[start]!;
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at]!;
    if (char === quote) return at + 1;
    if (char === LINE_FEED) throw error('illegal string');
    if (char === BACKSLASH) at = writeEscape(text, at + 1, out, error);
    else out.byte(char);
  }
  throw error('unterminated string');
}

/** @returns the position of its last character */
function writeEscape(text: Uint8Array, at: number, out: WireWriter, error: (message: string) => Error): number {
  const char = text[at];
  if (char === undefined) throw error('illegal string escape');
  const short = SHORT.get(char);
  if (short !== undefined) {
    out.byte(short);
    return at;
  }
  if (digit(char, 8) !== undefined) {
    const digits = digitsFrom(text, at, 8, 3);
    out.byte(digits.value & 0xff);
    return digits.end - 1;
  }
  if ((char | 0x20) === 0x78) {
    const digits = digitsFrom(text, at + 1, 16, 2);
    if (digits.end === at + 1) throw error('illegal hex escape');
    out.byte(digits.value);
    return digits.end - 1;
  }
  const length = CODE_POINT_DIGITS.get(char);
  if (length === undefined) throw error(`illegal string escape '\\${String.fromCharCode(char)}'`);
  const { value, end } = digitsFrom(text, at + 1, 16, length);
  const isCharacter = value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  if (end !== at + 1 + length || !isCharacter) throw error('illegal unicode escape');
  for (const byte of new TextEncoder().encode(String.fromCodePoint(value))) out.byte(byte);
  return end - 1;
}

/** A number of up to `most` digits. */
function digitsFrom(text: Uint8Array, start: number, base: number, most: number): { value: number; end: number } {
  let value = 0;
  let end = start;
  for (; end < start + most; end++) {
    const next = digit(text[end], base);
    if (next === undefined) break;
    value = value * base + next;
  }
  return { value, end };
}

function digit(char: number | undefined, base: number): number | undefined {
  if (char === undefined) return undefined;
  const letter = (char | 0x20) - 0x61;
  const value = letter >= 0 && letter < 6 ? letter + 10 : char - ZERO!;
  const isDigit = letter >= 0 || value < 10;
  return isDigit && value >= 0 && value < base ? value : undefined;
}
