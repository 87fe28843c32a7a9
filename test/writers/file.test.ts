import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  constants,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BnfixError } from '../../src/errors.js';
import type { Encoded } from '../../src/writers/encoded.js';
import { writeFile } from '../../src/writers/file.js';
import { writeStream } from '../../src/writers/stream.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bnfix write '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const hello: Encoded = { byteLength: 5, chunks: () => [Buffer.from('hel'), Buffer.from('lo')] };

/** Two buffers in turn, as the readers have them: a chunk that is not written by the second next one is overwritten. */
function reusing(texts: readonly string[]): Encoded {
  function* chunks() {
    const buffers = [Buffer.alloc(3), Buffer.alloc(3)];
    for (const [i, text] of texts.entries()) {
      const buffer = buffers[i % 2]!;
      buffer.write(text);
      yield buffer;
    }
  }
  return { chunks };
}

async function failure(work: Promise<unknown>): Promise<BnfixError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(BnfixError);
  return error as BnfixError;
}

describe('writeFile', () => {
  it('writes the bytes and returns their number', async () => {
    expect((await writeFile(at('out.pb'), hello)).bytes).toBe(5);
    expect(readFileSync(at('out.pb'), 'utf8')).toBe('hello');
    expect(readdirSync(folder)).toEqual(['out.pb']);
  });

  it('has written a chunk before it asks for the second next', async () => {
    await writeFile(at('out.pb'), reusing(['abc', 'def', 'ghi']));
    expect(readFileSync(at('out.pb'), 'utf8')).toBe('abcdefghi');
  });

  it('reports progress', async () => {
    const seen: number[] = [];
    await writeFile(at('out.pb'), hello, { onProgress: (bytes) => seen.push(bytes) });
    expect(seen).toEqual([3, 5]);
  });

  it('waits for the disk when it is asked to, before the file has its name', async () => {
    const handle = await open(at('probe'), 'w');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const seen: boolean[] = [];
    const sync = vi.spyOn(prototype, 'sync').mockImplementation(async () => {
      seen.push(existsSync(at('out.pb')));
    });
    const datasync = vi.spyOn(prototype, 'datasync');
    try {
      await writeFile(at('fast.pb'), hello);
      expect(seen).toEqual([]);
      await writeFile(at('out.pb'), hello, { sync: true });
      // The file, and then its folder.
      expect(seen).toEqual([false, true]);
      const large = { chunks: () => Array.from({ length: 40 }, () => Buffer.alloc(2 ** 20)) };
      expect((await writeFile(at('large.pb'), large, { sync: true })).bytes).toBe(40 * 2 ** 20);
      expect(datasync).toHaveBeenCalledTimes(1);
    } finally {
      sync.mockRestore();
      datasync.mockRestore();
    }
  });

  it('refuses to overwrite, unless it is asked to', async () => {
    writeFileSync(at('out.pb'), 'old');
    expect(await failure(writeFile(at('out.pb'), hello))).toMatchObject({
      code: 'unwritable',
      where: at('out.pb'),
      fix: 'force: true  overwrites it\noutput: FILE  chooses another name',
    });
    expect(readFileSync(at('out.pb'), 'utf8')).toBe('old');
    await writeFile(at('out.pb'), hello, { force: true });
    expect(readFileSync(at('out.pb'), 'utf8')).toBe('hello');
  });

  it('does not replace a file that came up in the meantime', async () => {
    const chunks = function* () {
      yield Buffer.from('new');
      writeFileSync(at('out.pb'), 'from elsewhere');
    };
    expect((await failure(writeFile(at('out.pb'), { chunks }))).message).toContain('already exists');
    expect(readFileSync(at('out.pb'), 'utf8')).toBe('from elsewhere');
    expect(readdirSync(folder)).toEqual(['out.pb']);
  });

  it('keeps permissions and follows links when it overwrites', async () => {
    writeFileSync(at('real.pb'), 'old');
    chmodSync(at('real.pb'), 0o640);
    symlinkSync('real.pb', at('link.pb'));
    await writeFile(at('link.pb'), hello, { force: true });
    expect(readFileSync(at('real.pb'), 'utf8')).toBe('hello');
    if (process.platform !== 'win32') expect(statSync(at('real.pb')).mode & 0o777).toBe(0o640);
  });

  const modeOf = (path: string) => statSync(path).mode & 0o777;
  const onPosix = it.skipIf(process.platform === 'win32');

  onPosix('gives the temporary file the permissions of its target before the first byte', async () => {
    writeFileSync(at('private.pb'), 'old');
    chmodSync(at('private.pb'), 0o600);
    writeFileSync(at('readable.pb'), 'old');
    chmodSync(at('readable.pb'), 0o664);
    const seen: number[] = [];
    const chunks = function* () {
      seen.push(...readdirSync(folder).flatMap((name) => (name.endsWith('.tmp') ? [modeOf(at(name))] : [])));
      yield Buffer.from('hello');
    };
    await writeFile(at('private.pb'), { chunks }, { force: true });
    await writeFile(at('readable.pb'), { chunks }, { force: true });
    expect(seen).toEqual([0o600, 0o664]);
    expect([modeOf(at('private.pb')), modeOf(at('readable.pb'))]).toEqual([0o600, 0o664]);
  });

  onPosix('treats a link that leads nowhere as a file, and creates what it leads to', async () => {
    mkdirSync(at('sub'));
    symlinkSync('sub/next.pb', at('link.pb'));
    symlinkSync('gone.pb', at('sub/next.pb'));
    expect((await failure(writeFile(at('link.pb'), hello))).message).toContain('already exists');
    await writeFile(at('link.pb'), hello, { force: true });
    expect(readFileSync(at('sub/gone.pb'), 'utf8')).toBe('hello');
    expect([lstatSync(at('link.pb')), lstatSync(at('sub/next.pb'))].map((stats) => stats.isSymbolicLink())).toEqual([
      true,
      true,
    ]);
    writeFileSync(at('plain'), '');
    expect(modeOf(at('sub/gone.pb'))).toBe(modeOf(at('plain')));
    symlinkSync('none/gone.pb', at('lost.pb'));
    expect((await failure(writeFile(at('lost.pb'), hello, { force: true }))).code).toBe('unwritable');
  });

  it('reads the file again before it gets its name, if it is asked to', async () => {
    expect(await writeFile(at('out.pb'), hello, { verifyWritten: true })).toEqual({
      bytes: 5,
      sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    });
    const handle = await open(at('probe'), 'w');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    for (const [fault, why] of [
      ['lost', 'reading it again returned 0 bytes; 5 were written'],
      ['changed', 'reading it again returned other bytes than were written'],
    ] as const) {
      // A file system that says it wrote what it did not write.
      const write = vi.spyOn(prototype, 'write').mockImplementation((async (
        chunk: Uint8Array,
        _: number,
        length: number,
      ) => {
        if (fault === 'changed') appendFileSync(temporary(), Buffer.alloc(length, 'x'));
        return { bytesWritten: length, buffer: chunk };
      }) as never);
      const error = await failure(writeFile(at('new.pb'), hello, { verifyWritten: true })).finally(() =>
        write.mockRestore(),
      );
      expect(error).toMatchObject({ code: 'unwritable', message: `${at('new.pb')} was not written correctly`, why });
      expect(readdirSync(folder).sort()).toEqual(['out.pb', 'probe']);
    }
  });

  const temporary = () => at(readdirSync(folder).find((name) => name.endsWith('.tmp'))!);

  it.runIf(existsSync('/dev/null'))('cannot read a device again', async () => {
    const error = await failure(writeFile('/dev/null', hello, { verifyWritten: true }));
    expect(error).toMatchObject({ code: 'usage', option: 'verifyWritten' });
  });

  onPosix('a pipe that nothing reads: the signal stops it', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const controller = new AbortController();
    const writing = failure(writeFile(at('pipe'), hello, { signal: controller.signal }));
    controller.abort();
    expect((await writing).code).toBe('interrupted');
  });

  onPosix('a pipe whose reader stops reading: the signal stops it', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const controller = new AbortController();
    const reader = await open(at('pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
    const chunks = function* () {
      yield Buffer.alloc(2 ** 20);
      queueMicrotask(() => controller.abort());
      yield Buffer.alloc(2 ** 20);
    };
    const error = await failure(writeFile(at('pipe'), { chunks }, { signal: controller.signal }));
    await reader.close();
    expect(error.code).toBe('interrupted');
  });

  it('refuses to overwrite what it reads, by whatever name', async () => {
    writeFileSync(at('model.meta'), 'graph');
    linkSync(at('model.meta'), at('same'));
    for (const name of ['model.meta', 'same']) {
      const error = await failure(
        writeFile(at(name), hello, { force: true, inputs: [at('missing'), at('model.meta')] }),
      );
      expect(error).toMatchObject({ code: 'unwritable', where: at(name) });
      expect(error.message).toContain('is one of the input files');
    }
    expect(readFileSync(at('model.meta'), 'utf8')).toBe('graph');
  });

  it('says why it cannot write', async () => {
    mkdirSync(at('sub'));
    writeFileSync(at('file'), '');
    const why = async (path: string) => (await failure(writeFile(path, hello))).why;
    expect(await why(at('sub'))).toBe('the result is one file');
    expect(await why(at('new/'))).toBe('the result is one file');
    expect(await why(at('none/out.pb'))).toBe(`folder ${at('none')} not found`);
    expect(await why(at('file/out.pb'))).toContain('is a file, not a folder');
    expect(await why(at('x'.repeat(300)))).toContain('too long');
    expect(readdirSync(folder).sort()).toEqual(['file', 'sub']);
  });

  // Neither root nor Windows heeds the mode of a folder.
  it.skipIf((process.getuid?.() ?? 0) === 0)('says when there is no permission', async () => {
    chmodSync(folder, 0o500);
    const error = await failure(writeFile(at('out.pb'), hello));
    chmodSync(folder, 0o700);
    expect(error).toMatchObject({ code: 'unwritable', why: `no permission to write in ${folder}` });
  });

  it('says before it begins that the disk is too small', async () => {
    const chunks = () => expect.fail('nothing must be read');
    const error = await failure(writeFile(at('out.pb'), { byteLength: 2 ** 60, chunks }));
    expect(error.message).toContain('not enough space');
    expect(error.why).toContain(`it needs ${2 ** 60} bytes`);
  });

  it.runIf(existsSync('/dev/full'))('writes devices in place, and says when they are full', async () => {
    expect(await failure(writeFile('/dev/full', hello))).toMatchObject({ code: 'unwritable', why: 'the disk is full' });
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
    expect((await writeFile('/dev/null', hello)).bytes).toBe(5);
  });

  it('leaves nothing when reading fails, and an old file as it was', async () => {
    const chunks = function* () {
      yield Buffer.from('half');
      throw new BnfixError('unreadable', 'the checksum is wrong');
    };
    writeFileSync(at('old.pb'), 'old');
    expect((await failure(writeFile(at('new.pb'), { chunks }))).code).toBe('unreadable');
    expect((await failure(writeFile(at('old.pb'), { chunks }, { force: true }))).code).toBe('unreadable');
    expect(readdirSync(folder)).toEqual(['old.pb']);
    expect(readFileSync(at('old.pb'), 'utf8')).toBe('old');
  });

  it('leaves nothing when there are other bytes than announced', async () => {
    const error = await failure(writeFile(at('out.pb'), { ...hello, byteLength: 6 }));
    expect(error).toMatchObject({ code: 'internal', message: 'expected to write 6 bytes, got 5' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves nothing when it is stopped, and stops at once', async () => {
    const controller = new AbortController();
    let asked = 0;
    const chunks = function* () {
      for (; asked < 1000; asked++) yield Buffer.from('more');
    };
    const onProgress = () => controller.abort();
    const error = await failure(writeFile(at('out.pb'), { chunks }, { signal: controller.signal, onProgress }));
    expect(error.code).toBe('interrupted');
    expect(asked).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('writeStream', () => {
  it('waits for a slow reader', async () => {
    const got: string[] = [];
    const write = (chunk: Buffer, _: string, done: () => void) => {
      setTimeout(() => {
        got.push(chunk.toString());
        done();
      }, 5);
    };
    await writeStream(new Writable({ highWaterMark: 1, write }), reusing(['abc', 'def', 'ghi']));
    expect(got.join('')).toBe('abcdefghi');
  });

  it('says that the reader has gone', async () => {
    const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(gone) });
    const error = await failure(writeStream(broken, hello, { name: 'stdout' }));
    expect(error).toMatchObject({
      code: 'unwritable',
      message: 'cannot write stdout',
      why: 'the reading end of the pipe was closed',
    });
  });
});
