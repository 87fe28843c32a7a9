import protobuf from 'protobufjs/light.js';
import { BnfixError } from '../errors.js';
import { type ByteSource, bufferFor, MemorySource } from '../io/source.js';
import descriptor from '../proto/descriptor.js';
import { encodeText } from './text_format/parser.js';

type Message = 'GraphDef' | 'MetaGraphDef' | 'SavedModel';

/**
 * Converts a protobuf text file to the binary form of the same message, so that one reader handles both.
 *
 * Load this module only when needed: it imports protobufjs' reflection, which is slow to start, and text files are rare.
 */
export function textToBinary(source: ByteSource, message: Message): ByteSource {
  const type = protobuf.Root.fromJSON(descriptor).lookupType(`tensorflow.${message}`);
  const text = bufferFor(source.name, source.size);
  source.readInto(text, 0);
  try {
    return new MemorySource(encodeText(text, type, source.name), source.name);
  } catch (cause) {
    if (cause instanceof BnfixError) throw cause;
    throw new BnfixError('unreadable', `${source.name} is not a ${message} in protobuf text format`, {
      where: source.name,
      why: (cause as Error).message,
      fix: 'save the graph in binary form (as_text=False), or check that the file is complete',
      cause,
    });
  }
}
