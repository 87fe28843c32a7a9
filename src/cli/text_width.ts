import { stripVTControlCharacters } from 'node:util';
import { eastAsianWidth } from 'get-east-asian-width';

const ASCII = /^[\x20-\x7e]*$/;
/** Combining marks, joiners and other characters that take no column of their own. */
const TAKES_NO_COLUMN = /^[\p{M}\p{Cf}]$/u;

/** The columns that a text takes in a terminal, without its colours. */
export function textWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  // Nearly all texts; the property of each other character is looked up in a table.
  if (ASCII.test(plain)) return plain.length;
  let width = 0;
  for (const character of plain) {
    if (!TAKES_NO_COLUMN.test(character)) width += eastAsianWidth(character.codePointAt(0)!);
  }
  return width;
}
