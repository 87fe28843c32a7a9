/** A base-128 varint. @param value - an exact number, not negative */
export function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintBytes(value));
  putVarint(bytes, 0, value);
  return bytes;
}

/** Bytes of a varint. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** Writes a varint. @returns the position behind it */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let next = at;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[next++] = (rest % 0x80) | 0x80;
  bytes[next++] = rest;
  return next;
}
