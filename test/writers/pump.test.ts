import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BnfixError } from '../../src/errors.js';
import { takeOver, writeFile } from '../../src/writers/file.js';
import { cannotVerify } from '../../src/writers/in_place.js';
import { pump, refuseWhenStopped, writeAll } from '../../src/writers/pump.js';
import { verifyPayloads } from '../../src/writers/stream.js';
import { writeStreamBytes } from '../../src/writers/stream_bytes.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bnfix pump '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const ofSystem = (code: string) => Object.assign(new Error(code), { code, syscall: 'write' });

describe('pump', () => {
  it('counts, hashes if that is requested, and reports after each chunk', async () => {
    const seen: unknown[] = [];
    const write = async (chunk: Uint8Array) => {
      seen.push(Buffer.from(chunk).toString());
    };
    const encoded = { byteLength: 5, chunks: () => [bytes('hel'), bytes('lo')] };
    expect(await pump(encoded, write, { onProgress: (done) => seen.push(done) })).toEqual({
      bytes: 5,
      sha256: undefined,
    });
    expect(seen).toEqual(['hel', 3, 'lo', 5]);
    expect((await pump(encoded, write, { sha256: true })).sha256).toBe(
      '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    );
    expect(await verifyPayloads(encoded, { sha256: true })).toMatchObject({ bytes: 5 });
  });

  it('ends with the error of a write, of the last one as well', async () => {
    for (const failing of ['a', 'b', 'c']) {
      const write = async (chunk: Uint8Array) => {
        if (Buffer.from(chunk).toString() === failing) throw new Error(`no ${failing}`);
      };
      const work = pump({ chunks: () => ['a', 'b', 'c'].map(bytes) }, write, {});
      await expect(work).rejects.toThrow(`no ${failing}`);
    }
  });

  it('is stopped by its signal, after the last chunk as well', async () => {
    const signal = { aborted: false };
    const write = async () => {
      signal.aborted = true;
    };
    const work = pump({ chunks: () => [bytes('a')] }, write, { signal });
    await expect(work).rejects.toMatchObject({
      code: 'interrupted',
      message: 'interrupted before the result was complete',
    });
    expect(() => refuseWhenStopped(undefined)).not.toThrow();
    expect(() => refuseWhenStopped({ aborted: false })).not.toThrow();
  });
});

describe('writeAll', () => {
  /** A file that takes what `take` returns of the bytes that are left. */
  function fileThat(take: (left: number) => number) {
    const taken: number[] = [];
    const write = async (chunk: Uint8Array, from: number, length: number) => {
      const bytesWritten = take(length);
      taken.push(...chunk.subarray(from, from + bytesWritten));
      return { bytesWritten };
    };
    return { file: { write } as unknown as FileHandle, text: () => Buffer.from(taken).toString() };
  }

  it('goes on after a write of fewer bytes', async () => {
    const { file, text } = fileThat((left) => Math.min(left, 2));
    await writeAll(file, bytes('hello'));
    expect(text()).toBe('hello');
  });

  it('waits for a full pipe, until the signal stops it', async () => {
    let waits = 0;
    const { file, text } = fileThat((left) => {
      if (waits++ < 103) throw ofSystem('EAGAIN');
      return left;
    });
    await writeAll(file, bytes('hello'));
    expect([text(), waits]).toEqual(['hello', 104]);
    const full = fileThat(() => {
      throw ofSystem('EAGAIN');
    });
    await expect(writeAll(full.file, bytes('x'), { aborted: true })).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('passes on any other error', async () => {
    const { file } = fileThat(() => {
      throw ofSystem('EIO');
    });
    await expect(writeAll(file, bytes('x'))).rejects.toThrow('EIO');
  });
});

describe('writeStreamBytes', () => {
  const recording = (more: object) => {
    const seen: string[] = [];
    const write = (chunk: Uint8Array, done: (error?: Error) => void) => {
      seen.push(Buffer.from(chunk).toString());
      done();
    };
    return { seen, stream: { ...more, write } as unknown as NodeJS.WritableStream };
  };

  it('writes to a file by its number, to anything else through the stream', async () => {
    const fd = openSync(at('out'), 'w');
    const toFile = recording({ fd });
    await writeStreamBytes(toFile.stream, bytes('hello'));
    const toTerminal = recording({ fd, isTTY: true });
    await writeStreamBytes(toTerminal.stream, bytes('to a terminal'));
    closeSync(fd);
    expect([readFileSync(at('out'), 'utf8'), toFile.seen, toTerminal.seen]).toEqual(['hello', [], ['to a terminal']]);
    for (const other of [{}, { fd }, { fd: openSync(folder, 'r') }]) {
      const { seen, stream } = recording(other);
      await writeStreamBytes(stream, bytes('through it'));
      expect(seen).toEqual(['through it']);
      if (other.fd !== undefined && other.fd !== fd) closeSync(other.fd);
    }
  });

  it('fails with the error of the stream', async () => {
    const write = (_: Uint8Array, done: (error?: Error) => void) => done(ofSystem('EPIPE'));
    await expect(writeStreamBytes({ write } as unknown as NodeJS.WritableStream, bytes('x'))).rejects.toThrow('EPIPE');
  });
});

describe('what replaces a file', () => {
  /** A file of user 1 and group 1, which is given to others if the system permits it. */
  function ownFile(isPermitted: boolean) {
    const calls: unknown[] = [];
    const file = {
      stat: async () => ({ uid: 1, gid: 1 }),
      chown: async (...args: number[]) => {
        calls.push(['chown', ...args]);
        if (!isPermitted) throw ofSystem('EPERM');
      },
      chmod: async (mode: number) => {
        calls.push(['chmod', mode.toString(8)]);
      },
    };
    return { calls, file: file as unknown as FileHandle };
  }

  it.each([
    ['of the same owner: its mode', true, { uid: 1, gid: 1 }, [['chmod', '654']]],
    [
      'of another user: owner and mode',
      true,
      { uid: 2, gid: 1 },
      [
        ['chown', 2, 1],
        ['chmod', '654'],
      ],
    ],
    [
      'of another group: owner and mode',
      true,
      { uid: 1, gid: 2 },
      [
        ['chown', 1, 2],
        ['chmod', '654'],
      ],
    ],
    [
      'of another user, without permission: its mode',
      false,
      { uid: 2, gid: 1 },
      [
        ['chown', 2, 1],
        ['chmod', '654'],
      ],
    ],
    [
      'of another group, without permission: the group may do what everybody may',
      false,
      { uid: 1, gid: 2 },
      [
        ['chown', 1, 2],
        ['chmod', '644'],
      ],
    ],
  ])('%s', async (_, isPermitted, owner, expected) => {
    const { calls, file } = ownFile(isPermitted);
    await takeOver(file, { mode: 0o654, ...owner });
    expect(calls).toEqual(expected);
  });

  it('a group never gets more than it had', async () => {
    const { calls, file } = ownFile(false);
    await takeOver(file, { mode: 0o607, uid: 1, gid: 2 });
    expect(calls.at(-1)).toEqual(['chmod', '607']);
  });
});

describe('flushing to disk', () => {
  async function withFaultySync(code: string, work: () => Promise<unknown>) {
    const handle = await open(at('probe'), 'w');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const sync = vi.spyOn(prototype, 'sync').mockRejectedValue(ofSystem(code));
    const datasync = vi.spyOn(prototype, 'datasync').mockRejectedValue(ofSystem(code));
    return work().finally(() => {
      sync.mockRestore();
      datasync.mockRestore();
    });
  }

  const small = { chunks: () => [bytes('hello')] };
  const large = { chunks: () => Array.from({ length: 33 }, () => new Uint8Array(2 ** 20)) };

  it.each(['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])('a file system without it (%s) is accepted', async (code) => {
    await withFaultySync(code, () => writeFile(at('out.pb'), small, { sync: true }));
    expect(readFileSync(at('out.pb'), 'utf8')).toBe('hello');
  });

  it('an error of the disk is none that is ignored, however early it comes', async () => {
    for (const encoded of [small, large]) {
      const work = withFaultySync('EIO', () => writeFile(at('out.pb'), encoded, { sync: true }));
      await expect(work).rejects.toMatchObject({
        code: 'unwritable',
        message: `cannot write ${at('out.pb')}`,
        why: 'EIO',
      });
    }
  });
});

it('a device cannot be read again', () => {
  expect(cannotVerify('/dev/null')).toBeInstanceOf(BnfixError);
  expect(cannotVerify('/dev/null')).toMatchObject({
    code: 'usage',
    message: '/dev/null cannot be read again',
    where: '/dev/null',
    why: 'only regular files can be verified after they are written',
    option: 'verifyWritten',
    fix: 'output: FILE  writes a regular file',
  });
});
