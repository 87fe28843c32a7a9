import { concatBytes } from '../io/bytes.js';
import type { WireField, WireReader } from './wire.js';

/** Fields of a message that are decoded without the others. Those that follow each other are one range, however many they are. */
export class GatheredFields {
  readonly #ranges: { readonly start: number; end: number }[] = [];

  /** Adds a field that is behind those that were added before. */
  add({ start, offset, length }: WireField): void {
    const last = this.#ranges.at(-1);
    if (last?.end === start) last.end = offset + length;
    else this.#ranges.push({ start, end: offset + length });
  }

  /** Their bytes, with tags. @throws BnfixError `unreadable` if the file changed */
  read(reader: WireReader): Uint8Array {
    return concatBytes(this.#ranges.map(({ start, end }) => reader.bytes(start, end - start)));
  }
}
