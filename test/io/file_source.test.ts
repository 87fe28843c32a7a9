import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileSource } from '../../src/io/file_source.js';
import { failure } from '../support/failure.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bnfix source '));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('FileSource', () => {
  it.each<[string, (path: string) => void, string]>([
    ['grows', (path) => appendFileSync(path, 'x'), 'it had 5 bytes when it was opened, and has 6 now'],
    ['shrinks', (path) => truncateSync(path, 4), 'it had 5 bytes when it was opened, and has 4 now'],
    [
      'is written to',
      (path) => {
        writeFileSync(path, 'HELLO');
        utimesSync(path, 1, 1);
      },
      'another program wrote to it',
    ],
  ])('refuses a file that %s while it is read', (_, change, why) => {
    const path = join(folder, 'model.data');
    writeFileSync(path, 'hello');
    const source = new FileSource(path);
    expect(Buffer.from(source.read(0, 5)).toString()).toBe('hello');
    change(path);
    expect(failure(() => source.read(0, 3))).toMatchObject({
      code: 'unreadable',
      message: `${path} changed while it was being read`,
      why,
    });
    source.close();
  });

  it('reads on from a file that was replaced or removed: it is the one that was opened', () => {
    const path = join(folder, 'model.data');
    writeFileSync(path, 'hello');
    const source = new FileSource(path);
    rmSync(path);
    writeFileSync(path, 'other');
    expect(Buffer.from(source.read(0, 5)).toString()).toBe('hello');
    source.close();
  });

  it.skipIf(process.platform === 'win32')('refuses what is not a regular file', () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const message = (name: string) => failure(() => new FileSource(name)).message;
    expect(message(path)).toBe(`${path} is a named pipe, not a file`);
    expect(message('/dev/null')).toBe('/dev/null is a device, not a file');
    expect(message(folder)).toBe(`${folder} is a folder, not a file`);
  });
});
