import textformat from 'protobufjs/ext/textformat.js';
import protobuf from 'protobufjs/light.js';
import { BnfixError } from '../errors.js';
import { type ByteSource, MemorySource } from '../io/source.js';
import descriptor from '../proto/descriptor.js';

/** The longest string in Node.js has 2^29 characters. */
const MAX_TEXT_BYTES = 2 ** 29 - 32;

/** The parser of protobufjs keeps a number for each byte of a string; Node.js aborts when such an array grows beyond 112 million. */
const MAX_STRING_BYTES = 100 * 2 ** 20;

type Message = 'GraphDef' | 'MetaGraphDef' | 'SavedModel' | 'CheckpointState';

/**
 * Converts a protobuf text file to the binary form of the same message, so that one reader handles both.
 *
 * Load this module only when needed: it imports protobufjs' reflection, which is slow to start, and text files are rare.
 */
export function textToBinary(source: ByteSource, message: Message): ByteSource {
  if (source.size > MAX_TEXT_BYTES) {
    throw new BnfixError('unreadable', `${source.name} is too large for a text file: ${source.size} bytes`, {
      where: source.name,
      why: `bnfix reads up to ${MAX_TEXT_BYTES} bytes of protobuf text`,
      fix: 'save the graph in binary form (as_text=False)',
    });
  }
  const root = protobuf.Root.fromJSON(descriptor);
  const type = root.lookupType(`tensorflow.${message}`);
  const text = new TextDecoder().decode(source.read(0, source.size));
  if (text.length > MAX_STRING_BYTES / 3 && longestString(text) > MAX_STRING_BYTES) {
    throw new BnfixError('unreadable', `${source.name} has a string that is too long for a text file`, {
      where: source.name,
      why: `bnfix reads strings of up to ${MAX_STRING_BYTES} bytes in protobuf text`,
      fix: 'save the graph in binary form (as_text=False)',
    });
  }
  try {
    return new MemorySource(type.encode(textformat.fromText(type, text)).finish(), source.name);
  } catch (cause) {
    throw new BnfixError('unreadable', `${source.name} is not a ${message} in protobuf text format`, {
      where: source.name,
      why: (cause as Error).message,
      fix: 'save the graph in binary form (as_text=False), or check that the file is complete',
      cause,
    });
  }
}

/** Bytes of the longest string of a protobuf text, or a little more. Strings with only blanks and comments between them are one. */
function longestString(text: string): number {
  let longest = 0;
  let bytes = 0;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote === '') {
      if (char === '"' || char === "'") quote = char;
      else if (char === '#') i = endOfLine(text, i);
      else if (char.trim() !== '') bytes = 0;
    } else if (char === quote) {
      quote = '';
    } else {
      if (char === '\\') i += escapeLength(text, i + 1);
      bytes += char < '\x80' ? 1 : 3;
      longest = Math.max(longest, bytes);
    }
  }
  return longest;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

/** Characters of an escape after its backslash: up to three octal digits, or one. The digits of others count as bytes of the string. */
function escapeLength(text: string, from: number): number {
  let length = 0;
  while (length < 3 && isOctal(text[from + length])) length++;
  return Math.max(length, 1);
}

function isOctal(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '7';
}
