import { BnfixError } from '../errors.js';
import type { ByteSource } from '../io/source.js';

/** A field of a protobuf message and the position of its value in the source. */
export interface WireField {
  readonly number: number;
  readonly wireType: number;
  /** Start of the field's tag. */
  readonly start: number;
  /** Start of the value; for length-delimited fields, after the length. */
  readonly offset: number;
  /** Size of the value in bytes. */
  readonly length: number;
}

/** The wire type of strings, bytes and messages (protobuf encoding). */
export const LENGTH_DELIMITED = 2;
const WINDOW_BYTES = 256 * 1024;
const SLAB_BYTES = 64 * 1024;

/** Reads a source sequentially through a window, so that many small reads need few system calls. */
export class WireReader {
  readonly source: ByteSource;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  /** Small values are copied into shared buffers: a buffer for each of 100,000 nodes costs more than the nodes. */
  #slab: Uint8Array = new Uint8Array(0);
  #slabUsed = 0;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** Bytes [offset, offset + length); later reads do not overwrite them. */
  bytes(offset: number, length: number): Uint8Array {
    if (length > WINDOW_BYTES) return this.source.read(offset, length);
    this.#cover(offset, length);
    const at = offset - this.#windowStart;
    if (length > SLAB_BYTES / 4) return this.#window.slice(at, at + length);
    if (length > this.#slab.length - this.#slabUsed) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#slabUsed = 0;
    }
    const copy = this.#slab.subarray(this.#slabUsed, this.#slabUsed + length);
    copy.set(this.#window.subarray(at, at + length));
    this.#slabUsed += length;
    return copy;
  }

  /** The fields of the message in [start, end), in wire order; values are not read. */
  *fields(start: number, end: number): Generator<WireField> {
    let at = start;
    while (at < end) {
      const tag = this.#varint(at, end);
      const number = Math.floor(tag.value / 8);
      const wireType = tag.value & 7;
      const field = this.#value(at, tag.next, end, number, wireType);
      yield field;
      at = field.offset + field.length;
    }
  }

  #value(start: number, at: number, end: number, number: number, wireType: number): WireField {
    const field = (offset: number, length: number): WireField => {
      if (offset + length > end) {
        throw this.#corrupt(start, `field ${number} needs ${length} bytes; ${end - offset} remain`);
      }
      return { number, wireType, start, offset, length };
    };
    if (number === 0) throw this.#corrupt(start, 'a field has number 0');
    switch (wireType) {
      case 0:
        return field(at, this.#varint(at, end).next - at);
      case 1:
        return field(at, 8);
      case LENGTH_DELIMITED: {
        const length = this.#varint(at, end);
        return field(length.next, length.value);
      }
      case 5:
        return field(at, 4);
      default:
        throw this.#corrupt(start, `wire type ${wireType} does not occur in TensorFlow's files`);
    }
  }

  #varint(offset: number, end: number): { value: number; next: number } {
    this.#cover(offset, Math.min(10, end - offset));
    let value = 0;
    let scale = 1;
    for (let at = offset; at < end && at < offset + 10; at++) {
      const byte = this.#window[at - this.#windowStart]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return { value, next: at + 1 };
      scale *= 128;
    }
    throw this.#corrupt(offset, 'a number is not terminated');
  }

  #cover(offset: number, length: number): void {
    if (offset >= this.#windowStart && offset + length <= this.#windowStart + this.#window.length) return;
    const size = Math.max(length, Math.min(WINDOW_BYTES, this.source.size - offset));
    this.#window = this.source.read(offset, size);
    this.#windowStart = offset;
  }

  #corrupt(offset: number, why: string): BnfixError {
    return new BnfixError('unreadable', `${this.source.name} is not a complete protobuf file`, {
      where: `${this.source.name}, byte ${offset}`,
      why,
      fix: 'the file is truncated or corrupt: copy or save it again',
    });
  }
}
