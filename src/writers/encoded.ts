/** Bytes that are produced while they are written. A chunk is valid until the next but one is requested. */
export interface Encoded {
  /** The exact number of bytes, if known in advance. */
  readonly byteLength?: number;
  /** What this format cannot represent. */
  readonly notes?: readonly string[];
  chunks(): Iterable<Uint8Array>;
}

/** A text as UTF-8. */
export function encodedText(text: string): Encoded & { readonly byteLength: number } {
  const content = new TextEncoder().encode(text);
  return { byteLength: content.length, chunks: () => [content] };
}

/** Options of `writeGraph`. */
export interface WriteOptions {
  /** Overwrite an existing file. */
  readonly force?: boolean;
  /** Files that are not overwritten even with `force`: `files` of the model. */
  readonly inputs?: readonly string[];
  /** An AbortSignal: aborting stops writing and removes the partial file. */
  readonly signal?: { readonly aborted: boolean };
  /** Called after every chunk with the number of bytes written so far. */
  readonly onProgress?: (bytes: number) => void;
  /**
   * Wait until the file is on disk, so that it survives a power failure. Otherwise, as with `cp`, the operating system
   * flushes it later.
   */
  readonly sync?: boolean;
  /**
   * Read the file again before it gets its name, and compare its hash with that of the bytes that were to be written. Finds
   * faults of a file system or a network, but not those of a disk whose data the system still has in memory.
   */
  readonly verifyWritten?: boolean;
}

/** Common options of functions that write bytes. */
export interface PumpOptions extends Pick<WriteOptions, 'signal' | 'onProgress'> {
  /** Compute the hash of the bytes. */
  readonly sha256?: boolean;
}

/** What was written. */
export interface WrittenBytes {
  /** Their number. */
  readonly bytes: number;
  /** Their hash in hexadecimal, if it was requested. */
  readonly sha256: string | undefined;
}

/** Options of `writeFile` that are not those of `writeGraph`. */
export interface FileOptions extends WriteOptions, PumpOptions {
  /** Called when all bytes are written, before the file gets its name; if it fails, the file is removed. */
  readonly beforeRename?: () => Promise<unknown>;
}

/** Options of a file to write. */
export type TargetOptions = Pick<WriteOptions, 'force' | 'inputs'>;
