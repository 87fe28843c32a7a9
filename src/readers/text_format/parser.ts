import type { Field, OneOf, Root, Type } from 'protobufjs';
import protobuf from 'protobufjs/light.js';
import { scalarOf } from './scalars.js';
import { Tokens } from './tokens.js';
import { WireWriter } from './wire_writer.js';

/** Messages in messages, as TensorFlow has it. */
const MAX_DEPTH = 100;
const LENGTH_DELIMITED = 2;

/**
 * Converts a message in protobuf's text format to its binary form, in one pass and without an object for each part of it: a
 * weight in a text file takes its bytes twice, once as text.
 *
 * @param name - of the file, for errors
 * @throws Error with what is wrong with the text, and the line
 */
export function encodeText(text: Uint8Array, type: Type, name: string): Uint8Array {
  const parser = new Parser(text, type.root, name);
  return parser.parse(type);
}

/** A message that is being read. */
interface Frame {
  readonly type: Type;
  /** Fields, and sets of fields of which one may be given, that occurred and may not again. */
  readonly seen: Set<Field | OneOf>;
  /** The list of numbers that was written last: they are packed if they follow each other, as they do in what TensorFlow writes. */
  packed: { readonly field: Field; readonly start: number } | undefined;
}

class Parser {
  readonly #tokens: Tokens;
  readonly #out: WireWriter;
  readonly #root: Root;
  readonly #entries = new Map<Field, Type>();

  constructor(text: Uint8Array, root: Root, name: string) {
    this.#tokens = new Tokens(text);
    this.#out = new WireWriter(name, text.length);
    this.#root = root.resolveAll() as Root;
  }

  parse(type: Type): Uint8Array {
    this.#fields(type, undefined, 0);
    return this.#out.since(0);
  }

  /** The fields of a message up to its closing bracket, or the end of the file. */
  #fields(type: Type, end: string | undefined, depth: number): void {
    if (depth > MAX_DEPTH) throw this.#tokens.error('max depth exceeded');
    const frame: Frame = { type, seen: new Set(), packed: undefined };
    while (end === undefined ? this.#tokens.kind !== 'end' : !this.#tokens.skip(end)) {
      if (this.#tokens.kind === 'end') throw this.#tokens.error(`expected '${end}'`);
      this.#field(frame, depth);
      if (!this.#tokens.skip(',')) this.#tokens.skip(';');
    }
    this.#endPacked(frame);
  }

  #field(frame: Frame, depth: number): void {
    if (this.#tokens.is('[')) {
      this.#any(frame, depth);
      return;
    }
    const field = this.#fieldOf(frame);
    const message = this.#messageOf(field);
    if (message === undefined) this.#tokens.expect(':');
    else this.#tokens.skip(':');
    const one = () => (message ? this.#message(frame, field, message, depth) : this.#scalar(frame, field));
    if (!this.#tokens.is('[')) {
      one();
      return;
    }
    if (!field.repeated && !field.map)
      throw this.#tokens.error(`${field.fullName}: list value specified for singular field`);
    this.#tokens.expect('[');
    if (this.#tokens.skip(']')) return;
    do one();
    while (this.#tokens.skip(','));
    this.#tokens.expect(']');
  }

  /** The field that the next token names, which is taken. */
  #fieldOf(frame: Frame): Field {
    const { fields, fullName } = frame.type;
    const name = this.#tokens.shown();
    if (this.#tokens.is(',') || this.#tokens.is(';')) throw this.#tokens.error('unexpected separator');
    if (this.#tokens.kind !== 'word') throw this.#tokens.error(`illegal field name '${name}'`);
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field) throw this.#tokens.error(`${fullName}: unknown field '${name}'`);
    if (!field.repeated && !field.map) this.#once(frame, field);
    this.#tokens.take();
    return field;
  }

  #once({ seen }: Frame, field: Field): void {
    const { partOf } = field;
    if (seen.has(field)) throw this.#tokens.error(`${field.fullName}: multiple values`);
    if (partOf && seen.has(partOf)) throw this.#tokens.error(`${partOf.name}: multiple values`);
    seen.add(field);
    if (partOf) seen.add(partOf);
  }

  /** The type of a field's messages; undefined for other fields. Entries of maps are messages with a key and a value. */
  #messageOf(field: Field): Type | undefined {
    if (!(field instanceof protobuf.MapField)) {
      return field.resolvedType instanceof protobuf.Type ? field.resolvedType : undefined;
    }
    const known = this.#entries.get(field);
    if (known) return known;
    const value = new protobuf.Field('value', 2, field.type);
    value.resolvedType = field.resolvedType;
    const key = new protobuf.Field('key', 1, field.keyType);
    const entry = new protobuf.Type(`${field.name}_entry`).add(key).add(value);
    this.#entries.set(field, entry);
    return entry;
  }

  #message(frame: Frame, field: Field, type: Type, depth: number): void {
    this.#endPacked(frame);
    this.#out.tag(field.id, LENGTH_DELIMITED);
    this.#inBrackets(type, depth);
  }

  #inBrackets(type: Type, depth: number): void {
    const end = this.#tokens.skip('{') ? '}' : this.#tokens.skip('<') ? '>' : undefined;
    if (end === undefined) throw this.#tokens.error('expected message value');
    const start = this.#out.begin();
    this.#fields(type, end, depth + 1);
    this.#out.end(start);
  }

  #scalar(frame: Frame, field: Field): void {
    const { wireType, write } = scalarOf(field);
    if (frame.packed?.field !== field) {
      this.#endPacked(frame);
      const isPacked = field.repeated && field.packed && wireType !== LENGTH_DELIMITED;
      this.#out.tag(field.id, isPacked ? LENGTH_DELIMITED : wireType);
      if (isPacked) frame.packed = { field, start: this.#out.begin() };
    }
    write(this.#tokens, this.#out, field);
  }

  #endPacked(frame: Frame): void {
    if (frame.packed) this.#out.end(frame.packed.start);
    frame.packed = undefined;
  }

  /** `[URL/TYPE] { ... }`: the message that an Any has, written as text. */
  #any(frame: Frame, depth: number): void {
    const { type_url, value } = frame.type.fields;
    this.#tokens.expect('[');
    let url = '';
    while (!this.#tokens.skip(']')) {
      if (this.#tokens.kind === 'end' || this.#tokens.kind === 'string') throw this.#tokens.error("expected ']'");
      url += this.#tokens.take();
    }
    const type = this.#root.lookup(url.slice(url.lastIndexOf('/') + 1), protobuf.Type) as Type | null;
    if (frame.type.name !== 'Any' || !type_url || !value || !url.includes('/') || !type) {
      throw this.#tokens.error(`${frame.type.fullName}: unknown extension '${url}'`);
    }
    this.#once(frame, type_url);
    this.#once(frame, value);
    this.#tokens.skip(':');
    this.#out.tag(type_url.id, LENGTH_DELIMITED);
    const start = this.#out.begin();
    for (const byte of new TextEncoder().encode(url)) this.#out.byte(byte);
    this.#out.end(start);
    this.#out.tag(value.id, LENGTH_DELIMITED);
    this.#inBrackets(type, depth);
  }
}
