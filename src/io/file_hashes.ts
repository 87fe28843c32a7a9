import type { Worker } from 'node:worker_threads';
import { FileSource } from './file_source.js';

/** A file and the hash of its contents. */
export interface FileHash {
  readonly path: string;
  /** Its size. */
  readonly bytes: number;
  /** SHA-256 in hexadecimal. */
  readonly sha256: string;
}

/** Larger files are hashed by a thread of their own, whose start takes as long as hashing this much. */
const OWN_THREAD_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;

/** The thread: hashes open files one after the other. Threads share the file descriptors of their process. */
const THREAD = `
const { createHash } = require('node:crypto');
const { readSync } = require('node:fs');
const { parentPort } = require('node:worker_threads');
const buffer = new Uint8Array(${CHUNK_BYTES});
parentPort.on('message', ({ id, fd, size }) => {
  const hash = createHash('sha256');
  for (let at = 0; at < size; ) {
    const got = readSync(fd, buffer, 0, Math.min(buffer.length, size - at), at);
    if (got === 0) break;
    hash.update(buffer.subarray(0, got));
    at += got;
  }
  parentPort.postMessage({ id, sha256: hash.digest('hex') });
});
`;

type Modules = Pick<typeof import('node:crypto'), 'createHash'> & Pick<typeof import('node:worker_threads'), 'Worker'>;

/**
 * Hashes files while other work goes on. Weights are read in the order of the graph, and not all of them: their hash takes
 * another pass over the file, which a second thread makes meanwhile.
 */
export class FileHashes {
  readonly #modules: Modules;
  readonly #files: { readonly source: FileSource; readonly sha256: Promise<string> }[] = [];
  readonly #waiting = new Map<number, { resolve(sha256: string): void; reject(reason: unknown): void }>();
  #thread: Worker | undefined;

  private constructor(modules: Modules) {
    this.#modules = modules;
  }

  /** Loads what hashing needs: most runs do without. */
  static async create(): Promise<FileHashes> {
    return new FileHashes({ ...(await import('node:crypto')), ...(await import('node:worker_threads')) });
  }

  /** Starts to hash a file, which must stay open; a small one is hashed at once. */
  add(source: FileSource): void {
    const sha256 =
      source.size <= OWN_THREAD_BYTES
        ? Promise.resolve(hashOf(source, this.#modules))
        : this.#inThread(source).catch(() => hashOf(source, this.#modules));
    sha256.catch(() => {});
    this.#files.push({ source, sha256 });
  }

  /**
   * The hashes of all files, in the order in which they were added.
   * @throws BnfixError `unreadable` when a file cannot be read, or changed since it was opened
   */
  async all(): Promise<FileHash[]> {
    this.#thread?.ref();
    const hashes: FileHash[] = [];
    for (const { source, sha256 } of this.#files) {
      const { name: path, size: bytes } = source;
      hashes.push({ path, bytes, sha256: await sha256 });
    }
    this.stop();
    return hashes;
  }

  /** Ends the thread, finished or not. */
  stop(): void {
    // A thread that was ended deliberately reports no error.
    this.#thread?.removeAllListeners('error');
    this.#thread?.on('error', () => {});
    void this.#thread?.terminate();
    this.#thread = undefined;
  }

  async #inThread(source: FileSource): Promise<string> {
    this.#thread ??= this.#start();
    const id = this.#files.length;
    const sha256 = new Promise<string>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.#thread.postMessage({ id, fd: source.fd, size: source.size });
    const found = await sha256;
    source.assertUnchanged();
    return found;
  }

  #start(): Worker {
    const thread = new this.#modules.Worker(THREAD, { eval: true });
    thread.on('message', ({ id, sha256 }: { readonly id: number; readonly sha256: string }) => {
      this.#waiting.get(id)?.resolve(sha256);
    });
    thread.on('error', (error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#thread = undefined;
    });
    // It must not keep a process alive that has failed meanwhile.
    thread.unref();
    return thread;
  }
}

/**
 * Hashes a file.
 * @throws BnfixError `unreadable` when it cannot be read, or changes meanwhile
 */
export async function hashFile(path: string): Promise<FileHash> {
  const source = new FileSource(path);
  try {
    return { path, bytes: source.size, sha256: hashOf(source, await import('node:crypto')) };
  } finally {
    source.close();
  }
}

function hashOf(source: FileSource, { createHash }: Pick<Modules, 'createHash'>): string {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, source.size));
  for (let at = 0; at < source.size; at += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, source.size - at));
    source.readInto(part, at);
    hash.update(part);
  }
  return hash.digest('hex');
}
