import textformat from 'protobufjs/ext/textformat.js';
import protobuf from 'protobufjs/light.js';
import { BnfixError } from '../errors.js';
import { type ByteSource, MemorySource } from '../io/source.js';
import descriptor from '../proto/descriptor.js';

/** The longest string in Node.js has 2^29 characters. */
const MAX_TEXT_BYTES = 2 ** 29 - 32;

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
