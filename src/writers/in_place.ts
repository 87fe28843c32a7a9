import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { BnfixError } from '../errors.js';
import type { Encoded, PumpOptions, WriteOptions, WrittenBytes } from './encoded.js';
import { pump, refuseWhenStopped, writeAll } from './pump.js';
import { errorCode } from './target.js';

/** The first signal must stop it, even if nothing reads the pipe: no call may block. */
const WRITE_WITHOUT_WAITING = constants.O_WRONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
const POLL_MS = 10;

/**
 * Writes to a device or a named pipe.
 * @throws BnfixError like `writeFile`
 */
export async function writeInPlace(
  path: string,
  encoded: Encoded,
  options: WriteOptions & PumpOptions,
): Promise<WrittenBytes> {
  if (options.verifyWritten) throw cannotVerify(path);
  const file = await openForReader(path, options.signal);
  try {
    return await pump(encoded, (chunk) => writeAll(file, chunk, options.signal), options);
  } finally {
    await file.close().catch(() => {});
  }
}

/** Opens a device, or a named pipe as soon as something reads it. */
async function openForReader(path: string, signal: WriteOptions['signal']): Promise<FileHandle> {
  for (;;) {
    try {
      return await open(path, WRITE_WITHOUT_WAITING);
    } catch (error) {
      if (errorCode(error) !== 'ENXIO') throw error;
    }
    await setTimeout(POLL_MS);
    refuseWhenStopped(signal);
  }
}

/** The error for a target that cannot be read back. */
export function cannotVerify(path: string): BnfixError {
  return new BnfixError('usage', `${path} cannot be read again`, {
    where: path,
    why: 'only regular files can be verified after they are written',
    option: 'verifyWritten',
    fix: { option: 'output', value: 'FILE', text: 'writes a regular file' },
  });
}
