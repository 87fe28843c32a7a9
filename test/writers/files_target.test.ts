import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BnfixError } from '../../src/errors.js';
import type { FilesTarget, TargetOptions } from '../../src/writers/encoded.js';
import { checkFiles } from '../../src/writers/files_target.js';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'bnfix files target ')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

const target = (kind: FilesTarget['kind'], path: string, main?: string): FilesTarget => ({
  kind,
  path,
  isOwn: (file) => /^(main|weights\/(data)?|\.data|\.main)$/.test(file),
  ...(main !== undefined && { main }),
});

const failed = (files: FilesTarget, options: TargetOptions = {}) =>
  checkFiles(files, options).then(
    () => expect.fail('it was accepted'),
    (error: BnfixError) => error,
  );

describe('a folder', () => {
  it('that does not exist replaces nothing; slashes at its end do not matter', async () => {
    for (const path of [at('out'), at('out/'), at('out//'), at('./out\\')]) {
      expect(await checkFiles(target('folder', path))).toEqual({ path: at('out'), replaced: new Map() });
    }
    expect(await failed(target('folder', at('none/out')))).toMatchObject({
      message: `cannot write ${at('none/out')}`,
      why: `folder ${at('none')} not found`,
    });
  });

  it('behind a link that leads nowhere is made where the link ends', async () => {
    symlinkSync('gone', at('link'));
    expect(await checkFiles(target('folder', at('link')))).toEqual({ path: at('gone'), replaced: new Map() });
  });

  it('with an earlier result needs force; an empty one does not', async () => {
    mkdirSync(at('out'), { mode: 0o750 });
    const { path, replaced } = await checkFiles(target('folder', at('out')));
    expect([path, [...replaced]]).toEqual([
      at('out'),
      [[at('out'), { mode: 0o750, uid: process.getuid?.(), gid: process.getgid?.() }]],
    ]);
    mkdirSync(at('out/weights'));
    writeFileSync(at('out/weights/data'), '');
    expect(await failed(target('folder', at('out')))).toMatchObject({
      message: `${at('out')} already exists`,
      fix: 'force: true  overwrites it\noutput: DIR  chooses another name',
    });
    expect((await checkFiles(target('folder', at('out')), { force: true })).replaced.size).toBe(1);
    const inputs = [at('out/weights/data')];
    expect(await failed(target('folder', at('out')), { force: true, inputs })).toMatchObject({
      message: `${at('out/weights/data')} is one of the input files`,
    });
  });

  it('with other files names the first three', async () => {
    mkdirSync(at('out'));
    const why = 'the result is a folder of its own, which is replaced as a whole';
    for (const name of ['a', 'b', 'c']) writeFileSync(at(`out/${name}`), '');
    writeFileSync(at('out/main'), '');
    const error = await failed(target('folder', at('out'), 'saved_model.pb'), { force: true });
    expect(error).toMatchObject({
      code: 'unwritable',
      message: `${at('out')} contains other files`,
      where: at('out'),
      fix: `output: ${at('out/model/saved_model.pb')}  makes a folder in it`,
    });
    expect([error.whyLines[0]!.split(', ').sort(), error.whyLines[1]]).toEqual([['a', 'b', 'c'], why]);
    writeFileSync(at('out/d'), '');
    const more = await failed(target('folder', at('out')), { force: true });
    expect(more.whyLines[0]).toMatch(/^[a-d], [a-d], [a-d], and 1 more$/);
    expect(more.fix).toBe(`output: ${at('out/model')}  makes a folder in it`);
  });

  it('that is a file, or the current folder, is refused', async () => {
    writeFileSync(at('file'), '');
    expect(await failed(target('folder', at('file')), { force: true })).toMatchObject({
      message: `${at('file')} is not a folder`,
      where: at('file'),
      why: 'the result is a folder with several files',
      fix: 'output: DIR  names a new folder',
    });
    for (const path of [process.cwd(), dirname(process.cwd()), '/', '.']) {
      expect(await failed(target('folder', path, 'main'), { force: true })).toMatchObject({
        message: `${path} is or contains the current folder`,
        why: 'the result is a folder of its own, which is replaced as a whole',
        fix: `output: ${join(path, 'model/main')}  makes a folder in it`,
      });
    }
  });
});

describe('a prefix', () => {
  it('replaces the files of an earlier result, whose permissions are known', async () => {
    writeFileSync(at('out.data'), '', { mode: 0o640 });
    writeFileSync(at('out.other'), '');
    writeFileSync(at('about.data'), '');
    expect(await failed(target('prefix', at('out')))).toMatchObject({
      message: `${at('out.data')} already exists`,
      fix: 'force: true  overwrites it\noutput: PREFIX  chooses another name',
    });
    const { path, replaced } = await checkFiles(target('prefix', at('out')), { force: true });
    expect([path, [...replaced]]).toEqual([
      at('out'),
      [[at('out.data'), { mode: 0o640, uid: process.getuid?.(), gid: process.getgid?.() }]],
    ]);
    const inputs = [at('out.data')];
    expect(await failed(target('prefix', at('out')), { force: true, inputs })).toMatchObject({
      message: `${at('out.data')} is one of the input files`,
    });
  });

  it('in a folder behind a link is that in the folder', async () => {
    mkdirSync(at('real'));
    symlinkSync('real', at('link'));
    writeFileSync(at('real/out.main'), '');
    expect((await failed(target('prefix', at('link/out')))).message).toBe(`${at('link/out.main')} already exists`);
    const { path, replaced } = await checkFiles(target('prefix', at('link/out')), { force: true });
    expect([path, [...replaced.keys()]]).toEqual([at('real/out'), [at('real/out.main')]]);
  });

  it('does not replace a folder', async () => {
    mkdirSync(at('out.main'));
    expect(await failed(target('prefix', at('out')), { force: true })).toMatchObject({
      code: 'unwritable',
      message: `${at('out.main')} is not a regular file`,
      where: at('out.main'),
      fix: 'output: PREFIX  chooses another name',
    });
  });

  it('that names a folder, or is in none, is refused', async () => {
    expect(await failed(target('prefix', `${folder}/`, '.meta'))).toMatchObject({
      message: `${folder}/ is a folder`,
      where: `${folder}/`,
      why: 'the names of the files begin with what is given',
      fix: `output: ${at('model.meta')}  names files in it`,
    });
    expect((await failed(target('prefix', '/'))).fix).toBe('output: /model  names files in it');
    expect(await failed(target('prefix', at('none/out')))).toMatchObject({ why: `folder ${at('none')} not found` });
  });
});

it('a single file is checked like any other', async () => {
  expect(await checkFiles(target('file', at('out')))).toEqual({ path: at('out'), replaced: new Map() });
  writeFileSync(at('out'), '');
  expect((await failed(target('file', at('out')))).message).toBe(`${at('out')} already exists`);
  const { replaced } = await checkFiles(target('file', at('out')), { force: true });
  expect([...replaced.keys()]).toEqual([at('out')]);
});
