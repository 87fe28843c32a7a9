import type { Field } from 'protobufjs';
import protobuf from 'protobufjs/light.js';
import type { Tokens } from './tokens.js';
import type { WireWriter } from './wire_writer.js';

const [VARINT, SIXTY_FOUR_BITS, LENGTH_DELIMITED, THIRTY_TWO_BITS] = [0, 1, 2, 5];

/** How a scalar type is read and written. An error is at the value. */
interface Scalar {
  readonly wireType: number;
  readonly write: (tokens: Tokens, out: WireWriter, field: Field) => void;
}

const INTEGERS: Readonly<Record<string, readonly [low: bigint, high: bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** Digits of an octal number of 64 bits. */
const MAX_DIGITS = 22;

const INTEGER = /^(?:0[xX]0*(?<hex>[0-9a-fA-F]+)|0+(?<octal>[0-7]+)|(?<digits>0|[1-9]\d*))$/;
const FLOAT = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?$/;
const NAMED_FLOATS = new Map([
  ['inf', Infinity],
  ['infinity', Infinity],
  ['nan', NaN],
]);
const BOOLS = new Map([
  ...['true', 'True', 't'].map((word): [string, boolean] => [word, true]),
  ...['false', 'False', 'f'].map((word): [string, boolean] => [word, false]),
]);

const SCALARS = new Map<string, Scalar>([
  ['string', { wireType: LENGTH_DELIMITED!, write: writeText }],
  ['bytes', { wireType: LENGTH_DELIMITED!, write: writeBytes }],
  ['bool', { wireType: VARINT!, write: (tokens, out) => out.varint(readBool(tokens) ? 1 : 0) }],
  ['float', { wireType: THIRTY_TWO_BITS!, write: (tokens, out) => out.float(readFloat(tokens)) }],
  ['double', { wireType: SIXTY_FOUR_BITS!, write: (tokens, out) => out.double(readFloat(tokens)) }],
  ['fixed32', { wireType: THIRTY_TWO_BITS!, write: (tokens, out) => out.fixed32(readInteger(tokens, 'uint32')) }],
  ['fixed64', { wireType: SIXTY_FOUR_BITS!, write: (tokens, out) => out.fixed64(readInteger(tokens, 'uint64')) }],
  ...Object.keys(INTEGERS).map((type): [string, Scalar] => [
    type,
    { wireType: VARINT!, write: (tokens, out) => out.varint64(readInteger(tokens, type)) },
  ]),
]);

const ENUM: Scalar = { wireType: VARINT!, write: (tokens, out, field) => out.varint64(readEnum(tokens, field)) };

/** How to read a field that is no message. */
export function scalarOf(field: Field): Scalar {
  const scalar = field.resolvedType instanceof protobuf.Enum ? ENUM : SCALARS.get(field.type);
  if (!scalar) throw new Error(`${field.fullName}: unsupported type ${field.type}`);
  return scalar;
}

function writeBytes(tokens: Tokens, out: WireWriter): void {
  const start = out.begin();
  tokens.takeStrings(out);
  out.end(start);
}

function writeText(tokens: Tokens, out: WireWriter): void {
  const start = out.begin();
  tokens.takeStrings(out);
  if (!isUtf8(out.since(start))) throw tokens.error('invalid UTF-8 string');
  out.end(start);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function readBool(tokens: Tokens): boolean {
  if (tokens.kind === 'number') {
    const value = readInteger(tokens, 'uint32');
    if (value <= 1n) return value === 1n;
  }
  const value = tokens.kind === 'word' ? BOOLS.get(tokens.shown()) : undefined;
  if (value === undefined) throw tokens.error('bool value expected');
  tokens.take();
  return value;
}

function readEnum(tokens: Tokens, field: Field): bigint {
  if (tokens.kind !== 'word') return readInteger(tokens, 'int32');
  const { values } = field.resolvedType as protobuf.Enum;
  const name = tokens.shown();
  if (!Object.hasOwn(values, name)) throw tokens.error(`${field.fullName}: enum value expected`);
  tokens.take();
  return BigInt(values[name]!);
}

function readFloat(tokens: Tokens): number {
  const sign = tokens.skip('-') ? -1 : 1;
  const { kind } = tokens;
  const text = kind === 'word' || kind === 'number' ? tokens.take() : '';
  const value = kind === 'word' ? NAMED_FLOATS.get(text.toLowerCase()) : decimal(text);
  if (value === undefined) throw tokens.error('float value expected');
  return sign * value;
}

/** A number with or without a point; not an octal or hexadecimal one, as in TensorFlow. */
function decimal(text: string): number | undefined {
  if (!FLOAT.test(text) || /^0\d/.test(text)) return undefined;
  return Number(text.replace(/[fF]$/, ''));
}

function readInteger(tokens: Tokens, type: string): bigint {
  const isNegative = tokens.skip('-');
  const [low, high] = INTEGERS[type]!;
  const unsigned = low === 0n ? 'unsigned ' : '';
  const text = tokens.kind === 'number' && !(isNegative && unsigned) ? tokens.take() : '';
  const parts = INTEGER.exec(text)?.groups;
  if (!parts) throw tokens.error(`${isNegative ? unsigned : ''}integer value expected`);
  const { hex, octal, digits = hex ?? octal ?? '' } = parts;
  const value = digits.length > MAX_DIGITS ? high + 1n : BigInt(`${hex ? '0x' : octal ? '0o' : ''}${digits}`);
  const signed = isNegative ? -value : value;
  if (signed < low || signed > high) throw tokens.error(`${unsigned}integer value out of range`);
  return signed;
}
