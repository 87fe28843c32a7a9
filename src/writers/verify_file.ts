import { open } from 'node:fs/promises';
import { BnfixError } from '../errors.js';
import type { WriteOptions, WrittenBytes } from './encoded.js';
import { refuseWhenStopped, sha256Hash } from './pump.js';

const VERIFY_BYTES = 1024 * 1024;

/**
 * Reads a file again after it was written.
 * @param path - its future name, for messages
 * @throws BnfixError `unwritable` when it does not contain the bytes that were written
 */
export async function verifyFile(
  path: string,
  temporary: string,
  written: WrittenBytes,
  { signal }: Pick<WriteOptions, 'signal'>,
): Promise<void> {
  const hash = await sha256Hash();
  const buffer = new Uint8Array(VERIFY_BYTES);
  const file = await open(temporary, 'r');
  let bytes = 0;
  try {
    for (;;) {
      refuseWhenStopped(signal);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, bytes);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
  if (bytes === written.bytes && hash.digest('hex') === written.sha256) return;
  throw new BnfixError('unwritable', `${path} was not written correctly`, {
    where: path,
    why:
      bytes === written.bytes
        ? 'reading it again returned other bytes than were written'
        : `reading it again returned ${bytes} bytes; ${written.bytes} were written`,
    fix: ['check the disk or network', { option: 'output', value: 'FILE', text: 'writes to another disk' }],
  });
}
