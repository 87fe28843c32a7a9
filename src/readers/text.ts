import { createRequire } from 'node:module';
import { BnfixError } from '../errors.js';
import { type ByteSource, MemorySource } from '../io/source.js';

type Message = 'GraphDef' | 'MetaGraphDef' | 'SavedModel' | 'CheckpointState';

const require = createRequire(import.meta.url);

/**
 * Turns a protobuf text file into the binary form of the same message, so that one reader serves both.
 * Reflection is loaded here alone: it is slow to start, and text is rare.
 */
export function textToBinary(source: ByteSource, message: Message): ByteSource {
  const protobuf = require('protobufjs/light.js') as typeof import('protobufjs');
  const textformat = require('protobufjs/ext/textformat.js') as typeof import('protobufjs/ext/textformat.js');
  const root = protobuf.Root.fromJSON(require('../proto/descriptor.json'));
  const type = root.lookupType(`tensorflow.${message}`);
  const text = new TextDecoder().decode(source.read(0, source.size));
  try {
    return new MemorySource(type.encode(textformat.fromText(type, text)).finish(), source.name);
  } catch (cause) {
    throw new BnfixError('unreadable', `${source.name} is not a ${message} in protobuf text format`, {
      where: source.name,
      why: (cause as Error).message,
      fix: 'save the graph in binary form (as_text=False), or check that the file is whole',
      cause,
    });
  }
}
