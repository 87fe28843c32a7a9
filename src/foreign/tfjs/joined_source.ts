import { type ByteSource, truncated } from '../../io/source.js';

/** Several files one after the other, as one source. */
export class JoinedSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #parts: readonly { readonly source: ByteSource; readonly start: number }[];

  constructor(sources: readonly ByteSource[]) {
    this.name = sources.map(({ name }) => name).join(', ');
    let size = 0;
    this.#parts = sources.map((source) => {
      const start = size;
      size += source.size;
      return { source, start };
    });
    this.size = size;
  }

  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.size) throw truncated(this.name, this.size, offset, length);
    const target = new Uint8Array(length);
    this.readInto(target, offset);
    return target;
  }

  readInto(target: Uint8Array, offset: number): void {
    const end = offset + target.length;
    if (offset < 0 || end > this.size) throw truncated(this.name, this.size, offset, target.length);
    for (const { source, start } of this.#parts) {
      const from = Math.max(offset, start);
      const to = Math.min(end, start + source.size);
      if (from < to) source.readInto(target.subarray(from - offset, to - offset), from - start);
    }
  }

  close(): void {
    for (const { source } of this.#parts) source.close();
  }
}
