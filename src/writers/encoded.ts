/** Bytes that are produced while they are written. A chunk is valid until the next but one is requested. */
export interface Encoded {
  /** The exact number of bytes, if known in advance. */
  readonly byteLength?: number;
  /** What this format cannot represent. */
  readonly notes?: readonly string[];
  chunks(): Iterable<Uint8Array>;
}

/** Options of `writeGraph`. */
export interface WriteOptions {
  /** Overwrite an existing file. */
  readonly force?: boolean;
  /** Files that are not overwritten even with `force`, since the result is read from them while it is written. */
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
}

/** Common options of functions that write bytes. */
export type PumpOptions = Pick<WriteOptions, 'signal' | 'onProgress'>;

/** Options of a file to write. */
export interface TargetOptions extends Pick<WriteOptions, 'force' | 'inputs'> {
  /** Size of the result in bytes, if known. */
  readonly byteLength?: number | undefined;
}
