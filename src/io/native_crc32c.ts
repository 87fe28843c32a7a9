import { createRequire } from 'node:module';
import type { Crc32c } from './crc32c.js';

/** CRC-32C by the processor's instruction, from an optional dependency; undefined if it is not installed. */
export function loadNativeCrc32c(): Crc32c | undefined {
  try {
    const { crc32c } = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: Crc32c };
    return (bytes, previous = 0) => crc32c(bytes, previous);
  } catch {
    return undefined;
  }
}
