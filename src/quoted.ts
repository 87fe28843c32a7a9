import { isPrintable } from './printable.js';

// Texts for pasting, in the syntax of those who read them.

/** A value for a shell: quoted if it contains special characters; `$'...'` has escapes for what cannot be shown. */
export function shellQuoted(value: string): string {
  if (/^[\w@%+=:,./-]+$/.test(value)) return value;
  if (isPrintable(value)) return `'${value.replaceAll("'", "'\\''")}'`;
  return `$'${[...value].map(dollarQuoted).join('')}'`;
}

const DOLLAR_ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  "'": "\\'",
  '\\': '\\\\',
  // A shell would look for it in its history.
  '!': '\\041',
};

/** A character within `$'...'`. Shells agree on octal escapes of bytes, and differ in those of other characters. */
function dollarQuoted(character: string): string {
  const escaped = DOLLAR_ESCAPES[character];
  if (escaped !== undefined || isPrintable(character)) return escaped ?? character;
  return [...new TextEncoder().encode(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

/** A string literal of Python, with escapes for what cannot be shown. */
export function pythonQuoted(value: string): string {
  return `'${[...value].map(pythonCharacter).join('')}'`;
}

function pythonCharacter(character: string): string {
  if (character === "'" || character === '\\') return `\\${character}`;
  if (isPrintable(character)) return character;
  const code = character.codePointAt(0)!;
  const [letter, digits] = code < 0x100 ? ['x', 2] : code < 0x10000 ? ['u', 4] : ['U', 8];
  return `\\${letter}${code.toString(16).padStart(digits, '0')}`;
}

/** A string literal of JavaScript, with escapes for what cannot be shown. */
export function javascriptQuoted(value: string): string {
  return `'${[...value].map(javascriptCharacter).join('')}'`;
}

function javascriptCharacter(character: string): string {
  if (character === "'" || character === '\\') return `\\${character}`;
  if (isPrintable(character)) return character;
  const code = character.codePointAt(0)!;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
