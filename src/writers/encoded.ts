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

/** One file of a result. */
export interface ResultFile {
  /**
   * Its path below the target, with `/`: `variables/variables.index` in a folder, `.index` after a prefix, nothing if the
   * target is the file.
   */
  readonly path: string;
  readonly encoded: Encoded;
}

/** What a target names: a file, a folder, or what the names of several files begin with. */
export type TargetKind = 'file' | 'folder' | 'prefix';

/** Where several files are to be written as one result. */
export interface FilesTarget {
  readonly kind: TargetKind;
  readonly path: string;
  /** Whether a result has a file of this path: those of an earlier one are replaced, others in its folder are not. */
  isOwn(path: string): boolean;
  /** The path, below the target, of the file that makes the others a result, if the name of that file says which kind it is. */
  readonly main?: string;
}

/** A file that was written. */
export interface WrittenFile extends WrittenBytes {
  readonly path: string;
}

/** Options of `writeGraph`. */
export interface WriteOptions {
  /** Overwrite existing files. */
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
