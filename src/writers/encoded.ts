/** Bytes that are made while they are written. A chunk is valid until the second next one is asked for. */
export interface Encoded {
  /** Where it is known before: that many bytes have to come. */
  readonly byteLength?: number;
  /** What this form could not hold. */
  readonly notes?: readonly string[];
  chunks(): Iterable<Uint8Array>;
}

/** Options of `writeGraph`. */
export interface WriteOptions {
  /** Overwrite a file that is there. */
  readonly force?: boolean;
  /** Files that must not be overwritten whatever `force` says: the result is still read from them. */
  readonly inputs?: readonly string[];
  /** An AbortSignal. It stops the writing; what was written so far is removed. */
  readonly signal?: { readonly aborted: boolean };
  /** Called after every chunk with the number of bytes written so far. */
  readonly onProgress?: (bytes: number) => void;
  /**
   * Wait until the file is on the disk, so that it survives a power failure. Otherwise, as with `cp`, the system brings it
   * there in its own time.
   */
  readonly sync?: boolean;
}

/** Options of everything that writes bytes. */
export type PumpOptions = Pick<WriteOptions, 'signal' | 'onProgress'>;

/** Options of a file to write. */
export interface TargetOptions extends Pick<WriteOptions, 'force' | 'inputs'> {
  /** Size of what will be written, where it is known, in bytes. */
  readonly byteLength?: number | undefined;
}
