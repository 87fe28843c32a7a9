import type { Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { BnfixError } from '../errors.js';
import type { Encoded, PumpOptions, WriteOptions, WrittenBytes } from './encoded.js';
import { errorCode } from './target.js';

/** Loads node:crypto on demand: most runs do without. */
export async function sha256Hash(): Promise<Hash> {
  const { createHash } = await import('node:crypto');
  return createHash('sha256');
}

/** Requests each chunk while the previous one is being written and hashed. */
export async function pump(
  encoded: Encoded,
  write: (chunk: Uint8Array) => Promise<void>,
  { signal, onProgress, sha256 }: PumpOptions,
): Promise<WrittenBytes> {
  const hash = sha256 ? await sha256Hash() : undefined;
  let done = 0;
  let writing = Promise.resolve();
  const writeOn = async (chunk: Uint8Array) => {
    const job = write(chunk);
    // The processor hashes what the system is writing.
    hash?.update(chunk);
    await job;
    done += chunk.length;
    onProgress?.(done);
  };
  try {
    for (const chunk of encoded.chunks()) {
      await writing;
      refuseWhenStopped(signal);
      writing = writeOn(chunk);
      // Whoever awaits it gets the error; until then it must not count as an unhandled rejection.
      writing.catch(() => {});
    }
  } finally {
    // Also after a read error, since the file is closed next.
    await writing;
  }
  refuseWhenStopped(signal);
  if (encoded.byteLength !== undefined && done !== encoded.byteLength) {
    throw new BnfixError('internal', `expected to write ${encoded.byteLength} bytes, got ${done}`);
  }
  return { bytes: done, sha256: hash?.digest('hex') };
}

/** @throws BnfixError `interrupted` when the signal was aborted */
export function refuseWhenStopped(signal: PumpOptions['signal']): void {
  if (signal?.aborted) throw new BnfixError('interrupted', 'interrupted before the result was complete');
}

const POLL_MS = 10;

/** Writes a whole chunk to a file. @param signal - stops waiting for a pipe that is full */
export async function writeAll(file: FileHandle, chunk: Uint8Array, signal?: WriteOptions['signal']): Promise<void> {
  let waits = 0;
  for (let at = 0; at < chunk.length; ) {
    try {
      at += (await file.write(chunk, at, chunk.length - at)).bytesWritten;
      waits = 0;
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error;
      refuseWhenStopped(signal);
      // A reader that keeps up is soon ready again.
      await (waits++ < 100 ? setImmediate() : setTimeout(POLL_MS));
    }
  }
}
