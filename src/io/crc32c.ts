/** CRC-32C (Castagnoli) of the bytes, continuing `previous`, the checksum of the preceding bytes. */
export type Crc32c = (bytes: Uint8Array, previous?: number) => number;

/** The polynomial 0x1EDC6F41 with its bits reversed. */
const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;

/** TABLES[256 * k + b]: the effect of byte b on the checksum when k more bytes follow it. */
const TABLES = makeTables();

function makeTables(): Uint32Array {
  const tables = new Uint32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256]!;
    tables[i] = (before >>> 8) ^ tables[before & 0xff]!;
  }
  return tables;
}

/** Eight bytes at a time, in plain JavaScript (slicing-by-8, Kounavis and Berry 2005). */
export const crc32cPortable: Crc32c = (bytes, previous = 0) => {
  const t = TABLES;
  let crc = ~previous;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      t[1792 + (crc & 0xff)]! ^
      t[1536 + ((crc >>> 8) & 0xff)]! ^
      t[1280 + ((crc >>> 16) & 0xff)]! ^
      t[1024 + (crc >>> 24)]! ^
      t[768 + bytes[at + 4]!]! ^
      t[512 + bytes[at + 5]!]! ^
      t[256 + bytes[at + 6]!]! ^
      t[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ t[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
};

/** Below this size, the portable implementation is faster than loading the native one. */
const NATIVE_BYTES = 64 * 1024;

let loadNative: () => Crc32c | undefined = () => undefined;
let native: { readonly crc: Crc32c | undefined } | undefined;

/** Sets the loader of a native implementation, which runs at the first large input. */
export function setNativeCrc32c(load: () => Crc32c | undefined): void {
  loadNative = load;
  native = undefined;
}

/** The native implementation; undefined if not available. */
export function crc32cNative(): Crc32c | undefined {
  native ??= { crc: loadNative() };
  return native.crc;
}

/** CRC-32C by the fastest available implementation; the native one is loaded at the first large input. */
export const crc32c: Crc32c = (bytes, previous) => {
  const crc = bytes.length < NATIVE_BYTES ? crc32cPortable : (crc32cNative() ?? crc32cPortable);
  return crc(bytes, previous);
};

const MASK_DELTA = 0xa282ead8;

/** A checksum as LevelDB and TensorFlow store it: rotated and shifted, since a checksum of checksums is weak. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/** The inverse of {@link maskCrc}. */
export function unmaskCrc(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
