import { unzipSync, zipSync } from 'fflate';
import { BnfixError } from '../../errors.js';
import type { TensorValue } from '../../run/value.js';
import { readNpy, writeNpy } from './npy.js';

/** Whether bytes are a ZIP archive, as .npz files are. */
export function isNpz(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/** How much larger the contents of an archive may be: arrays of measurements shrink by half, of zeros a thousand times. */
const MAX_GROWTH = 1100;

/**
 * Reads a .npz file: arrays by name, without `.npy`.
 * @throws BnfixError `unreadable` when it, or an array in it, is corrupt
 */
export function readNpz(bytes: Uint8Array, where: string): Map<string, TensorValue> {
  let total = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter: ({ name, size, originalSize, compression }) => {
        // The bytes that an entry takes at least. Several may claim the same ones.
        total += compression === 0 ? size : originalSize / MAX_GROWTH;
        if (total > bytes.length + 4) throw new Error('its contents are too large');
        return name.endsWith('.npy');
      },
    });
  } catch (cause) {
    throw new BnfixError('unreadable', 'not a valid .npz file', { where, why: (cause as Error).message, cause });
  }
  const arrays = Object.entries(files).map(([name, file]) => {
    const key = name.slice(0, -'.npy'.length);
    return [key, readNpy(file, `${where}: ${key}`)] as const;
  });
  return new Map(arrays);
}

/** The limit of a ZIP archive without extensions. */
const MAX_BYTES = 2 ** 32 - 2 ** 20;

/**
 * Writes a .npz file, as `np.savez` does: not compressed.
 * @throws BnfixError `unsupported` for strings, and for more than 4 GB
 */
export function writeNpz(arrays: ReadonlyMap<string, TensorValue>): Uint8Array {
  const files = [...arrays].map(([name, value]) => [`${name}.npy`, writeNpy(value)] as const);
  if (files.reduce((sum, [, { length }]) => sum + length, 0) > MAX_BYTES)
    throw new BnfixError('unsupported', 'arrays of more than 4 GB cannot be saved as .npz', {
      fix: 'save fewer of them',
    });
  // A date that does not change.
  return zipSync(Object.fromEntries(files), { level: 0, mtime: '1980-01-01' });
}
