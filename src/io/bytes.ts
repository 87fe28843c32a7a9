const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** A string with one character per byte; strings order as their bytes do. */
export function byteString(bytes: Uint8Array): string {
  let text = '';
  // In parts, since every byte becomes an argument.
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

/** The bytes of a {@link byteString}. */
export function bytesOfString(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Decodes a {@link byteString} as UTF-8. */
export function textOfByteString(text: string): string {
  return utf8.decode(bytesOfString(text));
}

/** All parts in one buffer. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A 32-bit number, little-endian. */
export function fixed32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
