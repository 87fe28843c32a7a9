import { setImmediate } from 'node:timers/promises';
import type { Encoded, PumpOptions, WrittenBytes } from './encoded.js';
import { pump } from './pump.js';
import { writeStreamBytes } from './stream_bytes.js';
import { explainUnwritable } from './target.js';

/**
 * Writes to a stream, respecting backpressure, and leaves it open.
 * @throws BnfixError `unwritable` when its reading end is closed, otherwise like {@link writeFile}
 */
export async function writeStream(
  stream: NodeJS.WritableStream,
  encoded: Encoded,
  options: PumpOptions & { readonly name?: string } = {},
): Promise<WrittenBytes> {
  const write = async (chunk: Uint8Array) => {
    await writeStreamBytes(stream, chunk);
    // Writing to a pipe does not yield to the event loop by itself.
    await setImmediate();
  };
  const ignore = () => {};
  // The callback receives the error as well; without a listener it would end the process.
  stream.on('error', ignore);
  try {
    return await pump(encoded, write, options);
  } catch (error) {
    throw explainUnwritable(options.name ?? 'the output', error);
  } finally {
    stream.off('error', ignore);
  }
}

/** Produces all bytes without writing them, to find all errors of reading. */
export function verifyPayloads(encoded: Encoded, options: PumpOptions = {}): Promise<WrittenBytes> {
  return pump(encoded, () => setImmediate(), options);
}
