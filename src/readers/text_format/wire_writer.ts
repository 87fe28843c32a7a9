import { bufferFor } from '../../io/source.js';
import { putVarint, varintBytes } from '../../io/varint.js';

/** Bytes of the longest varint. */
const MAX_VARINT_BYTES = 10;

/** Writes a protobuf message into one buffer; messages in it are written in place, with their length put before them at the end. */
export class WireWriter {
  readonly #name: string;
  readonly #number = new DataView(new ArrayBuffer(8));
  #bytes: Uint8Array;
  #size = 0;

  /**
   * @param name - what is read, for errors
   * @param expected - bytes that most messages need; the system counts them when they are written
   */
  constructor(name: string, expected: number) {
    this.#name = name;
    this.#bytes = bufferFor(name, expected);
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** What was written from `start` on: a view, valid until something else is written. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#size);
  }

  /** A byte as it is. */
  byte(value: number): void {
    if (this.#size === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#size++] = value;
  }

  /** A safe integer that is not negative. */
  varint(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    this.#size = putVarint(this.#bytes, this.#size, value);
  }

  /** An integer of 64 bits; a negative one as its two's complement. */
  varint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest > 0x7fn; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    this.byte(Number(rest));
  }

  /** Number and wire type of the field that follows. */
  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  /** 32 bits; a number that does not fit is rounded. */
  float(value: number): void {
    this.#number.setFloat32(0, value, true);
    this.#bytesOfNumber(4);
  }

  /** 64 bits. */
  double(value: number): void {
    this.#number.setFloat64(0, value, true);
    this.#bytesOfNumber(8);
  }

  /** An unsigned integer of 32 bits. */
  fixed32(value: bigint): void {
    this.#number.setUint32(0, Number(value), true);
    this.#bytesOfNumber(4);
  }

  /** An unsigned integer of 64 bits. */
  fixed64(value: bigint): void {
    this.#number.setBigUint64(0, value, true);
    this.#bytesOfNumber(8);
  }

  /** Begins a value with a length before it. @returns the start of the value, for {@link end} */
  begin(): number {
    this.byte(0);
    return this.#size;
  }

  /** Ends the value that starts at `start`. One byte was kept for its length: a value of 128 bytes and more is moved. */
  end(start: number): void {
    const length = this.#size - start;
    const shift = varintBytes(length) - 1;
    if (shift > 0) {
      this.#reserve(shift);
      this.#bytes.copyWithin(start + shift, start, this.#size);
      this.#size += shift;
    }
    putVarint(this.#bytes, start - 1, length);
  }

  #bytesOfNumber(count: number): void {
    for (let i = 0; i < count; i++) this.byte(this.#number.getUint8(i));
  }

  #reserve(count: number): void {
    if (this.#size + count <= this.#bytes.length) return;
    const grown = bufferFor(this.#name, Math.floor(this.#bytes.length * 1.5) + 1024);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
