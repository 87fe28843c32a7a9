import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileHashes } from '../../src/io/file_hashes.js';
import { FileSource } from '../../src/io/file_source.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bnfix hashes '));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A file of this size and its hash. */
function put(name: string, size: number) {
  const path = join(folder, name);
  writeFileSync(path, Buffer.alloc(size, name));
  return { path, bytes: size, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') };
}

const LARGE = 17 * 1024 * 1024 + 3;

describe('FileHashes', () => {
  it('hashes small files and, in another thread, large ones', async () => {
    const files = [put('empty', 0), put('a', 300_000), put('b', LARGE), put('c', 5), put('d', LARGE)];
    const hashes = await FileHashes.create();
    const sources = files.map(({ path }) => new FileSource(path));
    for (const source of sources) hashes.add(source);
    expect(await hashes.all()).toEqual(files);
    for (const source of sources) source.close();
  });

  it('refuses a large file that changed meanwhile', async () => {
    const { path } = put('b', LARGE);
    const hashes = await FileHashes.create();
    const source = new FileSource(path);
    hashes.add(source);
    appendFileSync(path, 'x');
    await expect(hashes.all()).rejects.toMatchObject({
      code: 'unreadable',
      message: `${path} changed while it was being read`,
    });
    source.close();
  });

  it('may be stopped before they are done', async () => {
    const { path } = put('b', LARGE);
    const hashes = await FileHashes.create();
    const source = new FileSource(path);
    hashes.add(source);
    hashes.stop();
    source.close();
  });
});
