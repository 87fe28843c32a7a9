// Protobuf's wire format, written and read independently of the code under test.

/** A field of a message: its number, its wire type and its value as bytes, without tag and length. */
export interface Field {
  readonly number: number;
  readonly wireType: number;
  readonly value: Buffer;
}

/** An unsigned number of up to 64 bits in base 128, the lowest digits first. */
export function varint(value: bigint | number): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

/** A field with a number, an enum or a bool. */
export function numeric(number: number, value: bigint | number): Field {
  return { number, wireType: 0, value: varint(value) };
}

/** A field with a string, bytes or a message. */
export function delimited(number: number, value: Uint8Array | string): Field {
  return { number, wireType: 2, value: Buffer.from(value as Uint8Array) };
}

/** A field with a float. */
export function float(number: number, value: number): Field {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return { number, wireType: 5, value: bytes };
}

/** A message of fields, in this order. */
export function message(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map(encodedField));
}

/** A field with its tag. */
export function encodedField({ number, wireType, value }: Field): Buffer {
  const tag = varint((BigInt(number) << 3n) | BigInt(wireType));
  return Buffer.concat(wireType === 2 ? [tag, varint(value.length), value] : [tag, value]);
}

/** The fields of a message. */
export function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const number = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = number();
    const wireType = Number(tag & 7n);
    const length = wireType === 2 ? Number(number()) : wireType === 1 ? 8 : 4;
    const from = at;
    if (wireType === 0) number();
    else at += length;
    fields.push({ number: Number(tag >> 3n), wireType, value: Buffer.from(bytes.slice(from, at)) });
  }
  return fields;
}
