import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BnfixError } from '../../src/errors.js';
import {
  alreadyThere,
  checkTarget,
  endOfLinks,
  errorCode,
  explainUnwritable,
  refuseWithoutSpace,
} from '../../src/writers/target.js';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'bnfix target ')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

/** An error as the operating system reports it. */
const ofSystem = (code: string) => Object.assign(new Error(`${code}: it failed`), { code, syscall: 'open' });

/** Why a file cannot be written, and how to fix it. */
function explained(path: string, code: string) {
  const cause = ofSystem(code);
  const error = explainUnwritable(path, cause) as BnfixError;
  expect(error).toBeInstanceOf(BnfixError);
  expect(error).toMatchObject({ code: 'unwritable', message: `cannot write ${path}`, where: path, cause });
  return [error.why, error.fix];
}

describe('an error of the operating system', () => {
  it.each([
    ['ENOTDIR', 'a part of /a/b is a file, not a folder', 'check the path'],
    ['EACCES', 'no permission to write in /a/b', 'output: FILE  writes to another folder\nchange its permissions'],
    ['EPERM', 'no permission to write in /a/b', 'output: FILE  writes to another folder\nchange its permissions'],
    [
      'EBUSY',
      'it is in use, or another file system is mounted there (EBUSY)',
      'output: /a/b/out.pb/model  writes into it',
    ],
    ['EROFS', 'the file system is read-only', 'write to another disk'],
    ['ENOSPC', 'the disk is full', 'free some space, or write to another disk'],
    ['EDQUOT', 'your disk quota is used up', 'free some space, or write to another disk'],
    [
      'EFBIG',
      'the file would be larger than the system allows',
      'raise the limit (ulimit -f), or write to another disk',
    ],
    ['ENAMETOOLONG', 'its name is too long: 6 characters', 'choose a shorter name'],
    ['EPIPE', 'the reading end of the pipe was closed', 'check the command after |'],
    ['EIO', 'EIO: it failed', 'check the path and the disk'],
  ])('%s is explained', (code, why, fix) => {
    expect(explained('/a/b/out.pb', code)).toEqual([why, fix]);
  });

  it('ENOENT is a missing folder, a folder without new files, or a URL', () => {
    expect(explained(at('a b/out.pb'), 'ENOENT')).toEqual([
      `folder ${at('a b')} not found`,
      `create it: mkdir -p '${at('a b')}'`,
    ]);
    expect(explained(at('out.pb'), 'ENOENT')).toEqual([
      `${folder} does not accept new files (ENOENT)`,
      'output: FILE  writes to another folder',
    ]);
    const upload = ['it is a URL; bnfix writes files', 'output: frozen.pb  writes a file, which you can upload'];
    expect(explained('gs://bucket/out.pb', 'ENOENT')).toEqual(upload);
    expect(explained('s3+x.y-z://bucket/out.pb', 'ENOENT')).toEqual(upload);
    expect(explained('gs:/bucket/out.pb', 'ENOENT')[0]).toBe('folder gs:/bucket not found');
    expect(explained('a/gs://bucket/out.pb', 'ENOENT')[0]).toBe('folder a/gs://bucket not found');
  });

  it('is recognised by its code and its call; a closed pipe has no call', () => {
    expect(errorCode(ofSystem('EIO'))).toBe('EIO');
    expect(errorCode(Object.assign(new Error(''), { code: 'EPIPE' }))).toBe('EPIPE');
    for (const other of [
      Object.assign(new Error(''), { code: 'EIO' }),
      Object.assign(new Error(''), { code: 5, syscall: 'open' }),
      new Error('EIO'),
      { code: 'EIO', syscall: 'open' },
    ]) {
      expect(errorCode(other)).toBeUndefined();
      expect(explainUnwritable('out.pb', other)).toBe(other);
    }
    const own = Object.assign(new BnfixError('unreadable', 'x'), { code: 'unreadable' });
    expect(explainUnwritable('out.pb', own)).toBe(own);
  });
});

describe('checkTarget', () => {
  const failed = (path: string, options = {}) =>
    checkTarget(path, options).then(
      () => expect.fail('it was accepted'),
      (error: BnfixError) => error,
    );

  it('says what a folder could be replaced with', async () => {
    const fix = (path: string) =>
      [
        `output: ${path}  names a file in it`,
        'format: tfjs  writes a folder for TensorFlow.js',
        'format: saved_model  writes a SavedModel',
      ].join('\n');
    mkdirSync(at('sub'));
    expect(await failed(at('sub'))).toMatchObject({
      code: 'unwritable',
      message: `${at('sub')} is a folder`,
      where: at('sub'),
      why: 'the result is one file',
      fix: fix(at('sub/frozen.pb')),
    });
    for (const [path, within] of [
      ['new/', 'new/frozen.pb'],
      ['new\\', 'new\\/frozen.pb'],
    ] as const) {
      expect(await failed(path)).toMatchObject({ message: `${path} names a folder`, fix: fix(within) });
    }
    expect(await checkTarget(at('a\\b'))).toMatchObject({ kind: 'file' });
  });

  it('names the input that would be overwritten', async () => {
    writeFileSync(at('model.pb'), '');
    writeFileSync(at('other.pb'), '');
    symlinkSync('model.pb', at('link.pb'));
    const inputs = [at('gone.pb'), at('other.pb'), at('model.pb')];
    expect(await failed(at('model.pb'), { inputs, force: true })).toMatchObject({
      message: `${at('model.pb')} is one of the input files`,
      why: 'the model is read from it',
      fix: 'output: FILE  chooses another name for the result',
    });
    expect((await failed(at('link.pb'), { inputs, force: true })).why).toBe(`it is the same file as ${at('model.pb')}`);
    const { path, old } = await checkTarget(at('link.pb'), { inputs: [at('other.pb')], force: true });
    expect(path).toBe(at('model.pb'));
    expect(old).toMatchObject({ uid: process.getuid?.(), gid: process.getgid?.() });
    expect(await checkTarget(at('new.pb'), { inputs })).toEqual({ kind: 'file', path: at('new.pb'), old: undefined });
  });

  it.runIf(existsSync('/dev/null'))('a device is written in place, without force', async () => {
    expect(await checkTarget('/dev/null')).toEqual({ kind: 'stream', path: '/dev/null', old: undefined });
  });

  it('a link that leads nowhere needs force, and is followed to its end', async () => {
    mkdirSync(at('sub'));
    symlinkSync('sub/next.pb', at('link.pb'));
    symlinkSync('gone.pb', at('sub/next.pb'));
    expect((await failed(at('link.pb'))).message).toBe(`${at('link.pb')} already exists`);
    expect(await checkTarget(at('link.pb'), { force: true })).toEqual({
      kind: 'file',
      path: at('sub/gone.pb'),
      old: undefined,
    });
    expect(await endOfLinks(at('new.pb'))).toBe(at('new.pb'));
  });

  it('a loop of links is an error of the system', async () => {
    symlinkSync('b.pb', at('a.pb'));
    symlinkSync('a.pb', at('b.pb'));
    expect((await failed(at('a.pb'), { force: true })).why).toContain('ELOOP');
  });
});

it('an existing file or folder: overwrite it, or choose another name', () => {
  expect(alreadyThere('out.pb')).toMatchObject({
    code: 'unwritable',
    message: 'out.pb already exists',
    where: 'out.pb',
    fix: 'force: true  overwrites it\noutput: FILE  chooses another name',
  });
  expect(alreadyThere('out', 'DIR').fix).toContain('output: DIR  chooses another name');
});

it('the space of a disk is compared with what is needed', async () => {
  await refuseWithoutSpace('out.pb', at('out.pb'), 1);
  // Where nothing is known, writing finds out.
  await refuseWithoutSpace('out.pb', at('none/out.pb'), 2 ** 60);
  const error = await refuseWithoutSpace('out.pb', at('out.pb'), 2 ** 60).catch((thrown: BnfixError) => thrown);
  expect(error).toMatchObject({
    code: 'unwritable',
    message: 'not enough space for out.pb',
    where: folder,
    why: expect.stringMatching(/^it needs 1152921504606847000 bytes; \d+ are free$/),
    fix: 'free some space\noutput: FILE  writes to another disk',
  });
});

it.runIf(existsSync('/proc/self'))('a file system without sizes has no limit that is known', async () => {
  await refuseWithoutSpace('out.pb', '/proc/self/out.pb', 2 ** 60);
});
