import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Encoded, FilesTarget, ResultFile } from '../../src/writers/encoded.js';
import { writeFiles } from '../../src/writers/files.js';
import { lockPath, makeTemporary, temporaryPath } from '../../src/writers/temporary.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bnfix files '));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

const text = (content: string): Encoded => ({ byteLength: content.length, chunks: () => [Buffer.from(content)] });

function failing(): Encoded {
  return {
    *chunks() {
      yield Buffer.from('begun');
      throw new Error('the model changed');
    },
  };
}

/** Two files: one in a subfolder, and the main one. */
const inFolder = (content: string): ResultFile[] => [
  { path: 'weights/data', encoded: text(`data of ${content}`) },
  { path: 'main', encoded: text(`main of ${content}`) },
];
const atPrefix = (content: string): ResultFile[] => [
  { path: '.data', encoded: text(`data of ${content}`) },
  { path: '.main', encoded: text(`main of ${content}`) },
];

const folderTarget = (path = at('out')): FilesTarget => ({
  kind: 'folder',
  path,
  isOwn: (file) => /^(main|weights\/(data(\.\d)?)?)$/.test(file),
});
const prefixTarget = (path = at('out')): FilesTarget => ({
  kind: 'prefix',
  path,
  isOwn: (file) => /^\.(data(\.\d)?|main)$/.test(file),
});

/** All files below a folder with their contents; hidden ones as well. */
function contents(path = folder, below = ''): Record<string, string> {
  const entries = readdirSync(join(path, below), { withFileTypes: true }).flatMap((entry) => {
    const name = below + entry.name;
    if (entry.isDirectory()) return Object.entries(contents(path, `${name}/`));
    return [[name, readFileSync(join(path, name), 'utf8')]];
  });
  return Object.fromEntries(entries);
}

/** The number of a process that has ended. */
function endedProcess(): string {
  return `${spawnSync(process.execPath, ['-e', '']).pid}`;
}

/** The name of a temporary file as another process would have made it. */
function ofEnded(path: string, ended: string): string {
  const parts = basename(path).split('-');
  parts[3] = ended;
  return join(dirname(path), parts.join('-'));
}

describe('a folder', () => {
  it('has all files, with sizes and hashes', async () => {
    const written = await writeFiles(folderTarget(), inFolder('a'), { sha256: true });
    expect(written.map(({ path, bytes }) => [path, bytes])).toEqual([
      [at('out/weights/data'), 9],
      [at('out/main'), 9],
    ]);
    expect(written[1]!.sha256).toBe('a0aec594196b1c2b0c6fd35eb3343ac4187e0c70e55043c9e6ad0970a6702632');
    expect(contents()).toEqual({ 'out/weights/data': 'data of a', 'out/main': 'main of a' });
    expect(statSync(at('out')).mode & 0o777).toBe(0o777 & ~process.umask());
    expect(statSync(at('out/main')).mode & 0o777).toBe(0o666 & ~process.umask());
  });

  it('that is there is replaced as a whole with force, and only then', async () => {
    await writeFiles(folderTarget(), inFolder('a'));
    writeFileSync(at('out/weights/data.2'), 'more of a');
    await expect(writeFiles(folderTarget(), inFolder('b'))).rejects.toThrow('already exists');
    expect(contents()).toEqual({
      'out/weights/data': 'data of a',
      'out/weights/data.2': 'more of a',
      'out/main': 'main of a',
    });
    await writeFiles(folderTarget(), inFolder('b'), { force: true });
    expect(contents()).toEqual({ 'out/weights/data': 'data of b', 'out/main': 'main of b' });
  });

  it('that is empty is used; its permissions stay', async () => {
    mkdirSync(at('out'), { mode: 0o750 });
    await writeFiles(folderTarget(`${at('out')}/`), inFolder('a'));
    expect(contents()).toEqual({ 'out/weights/data': 'data of a', 'out/main': 'main of a' });
    expect(statSync(at('out')).mode & 0o777).toBe(0o750);
  });

  it('behind a link is replaced, not the link', async () => {
    mkdirSync(at('real'));
    symlinkSync('real', at('out'));
    await writeFiles(folderTarget(), inFolder('a'));
    expect(contents(at('real'))).toEqual({ 'weights/data': 'data of a', main: 'main of a' });
    expect(readdirSync(folder).sort()).toEqual(['out', 'real']);
  });

  it.each([
    ['other files', () => writeFileSync(at('out/notes.txt'), 'mine'), /^.*out contains other files$/],
    ['a folder of others', () => mkdirSync(at('out/weights/more'), { recursive: true }), /contains other files/],
  ])('with %s is refused, even with force', async (_what, prepare, message) => {
    mkdirSync(at('out'));
    prepare();
    const before = contents();
    await expect(writeFiles(folderTarget(), inFolder('a'), { force: true })).rejects.toThrow(message);
    expect(contents()).toEqual(before);
  });

  it('with a file of the model is refused, even with force', async () => {
    await writeFiles(folderTarget(), inFolder('a'));
    const options = { force: true, inputs: [at('out/main')] };
    await expect(writeFiles(folderTarget(), inFolder('b'), options)).rejects.toThrow('is one of the input files');
    expect(contents()).toEqual({ 'out/weights/data': 'data of a', 'out/main': 'main of a' });
  });

  it('in place of a file, or around the current folder, is refused', async () => {
    writeFileSync(at('out'), 'a file');
    await expect(writeFiles(folderTarget(), inFolder('a'), { force: true })).rejects.toThrow('is not a folder');
    const above = dirname(process.cwd());
    await expect(writeFiles(folderTarget(above), inFolder('a'), { force: true })).rejects.toThrow(
      'is or contains the current folder',
    );
    expect(contents()).toEqual({ out: 'a file' });
  });
});

describe('files with a prefix', () => {
  it('replace those of an earlier result, and no others', async () => {
    writeFileSync(at('out.data.2'), 'more of an earlier one');
    writeFileSync(at('out.notes'), 'mine');
    writeFileSync(at('outer.data'), 'mine');
    await expect(writeFiles(prefixTarget(), atPrefix('a'))).rejects.toThrow('already exists');
    const written = await writeFiles(prefixTarget(), atPrefix('a'), { force: true });
    expect(written.map(({ path }) => path)).toEqual([at('out.data'), at('out.main')]);
    expect(contents()).toEqual({
      'out.data': 'data of a',
      'out.main': 'main of a',
      'out.notes': 'mine',
      'outer.data': 'mine',
    });
  });

  it.each(['', '/'])('need a name: a folder%s is refused', async (slash) => {
    await expect(writeFiles(prefixTarget(`${folder}/${slash}`), atPrefix('a'))).rejects.toThrow('is a folder');
    expect(contents()).toEqual({});
  });

  it('are not those of the model', async () => {
    await writeFiles(prefixTarget(), atPrefix('a'));
    const options = { force: true, inputs: [at('out.data')] };
    await expect(writeFiles(prefixTarget(), atPrefix('b'), options)).rejects.toThrow('is one of the input files');
    expect(contents()).toEqual({ 'out.data': 'data of a', 'out.main': 'main of a' });
  });
});

describe.each([
  ['a folder', folderTarget, inFolder],
  ['a prefix', prefixTarget, atPrefix],
])('%s', (_kind, target, files) => {
  it('is as it was when anything fails', async () => {
    const [data, main] = files('b');
    const attempts: (readonly [readonly ResultFile[], object])[] = [
      [[data!, { ...main!, encoded: failing() }], {}],
      [[{ ...data!, encoded: failing() }, main!], {}],
      [[data!, main!], { beforeRename: () => Promise.reject(new Error('the model changed')) }],
      [[data!, main!], { signal: { aborted: true } }],
    ];
    for (const isThere of [false, true]) {
      if (isThere) await writeFiles(target(), files('a'));
      const before = contents();
      for (const [list, options] of attempts) {
        await expect(writeFiles(target(), list, { ...options, force: true })).rejects.toThrow(
          /the model changed|interrupted/,
        );
        expect(contents()).toEqual(before);
        expect(readdirSync(folder).length).toBe(
          Object.keys(before).length === 0 ? 0 : target().kind === 'folder' ? 1 : 2,
        );
      }
    }
  });

  it('tells the progress of all files together', async () => {
    const seen: number[] = [];
    await writeFiles(target(), files('a'), {
      onProgress: (bytes) => seen.push(bytes),
      sync: true,
      verifyWritten: true,
    });
    expect(seen).toEqual([9, 18]);
  });

  it('is put back when a run was killed before all new files had their names', async () => {
    await writeFiles(target(), files('a'));
    const before = contents();
    const [ended, resolved] = [endedProcess(), target().path];
    // Everything was moved away, and half of the new result has its name.
    const old = ofEnded(await makeTemporary(resolved, 0o700, 'old'), ended);
    for (const name of readdirSync(folder).filter((each) => each.startsWith('.bnfix'))) renameSync(at(name), old);
    for (const name of readdirSync(folder).filter((each) => each.startsWith('out')))
      renameSync(at(name), join(old, name));
    if (target().kind === 'prefix') writeFileSync(at('out.data'), 'data of a killed run');
    await expect(writeFiles(target(), files('b'))).rejects.toThrow('already exists');
    expect(contents()).toEqual(before);
  });

  it('stays when a run was killed after that', async () => {
    await writeFiles(target(), files('b'));
    const before = contents();
    const old = await makeTemporary(target().path, 0o700, 'old');
    const left = ofEnded(old, endedProcess());
    renameSync(old, left);
    writeFileSync(join(left, target().kind === 'prefix' ? 'out.data' : 'out'), 'of an earlier result');
    await expect(writeFiles(target(), files('c'))).rejects.toThrow('already exists');
    expect(contents()).toEqual(before);
  });

  it('is one of several results when several runs write it', async () => {
    for (let round = 0; round < 5; round++) {
      const names = ['a', 'b', 'c', 'd'];
      await Promise.all(names.map((name) => writeFiles(target(), files(name), { force: true })));
      const found = Object.values(contents());
      expect(found).toHaveLength(2);
      const last = found[0]!.at(-1)!;
      expect(names).toContain(last);
      expect(found.sort()).toEqual([`data of ${last}`, `main of ${last}`]);
    }
  });
});

it('a result of one file is that file', async () => {
  const target: FilesTarget = { kind: 'file', path: at('out'), isOwn: () => false };
  const options = { sha256: true };
  expect(await writeFiles(target, [{ path: '', encoded: text('main of a') }], options)).toEqual([
    { path: at('out'), bytes: 9, sha256: 'a0aec594196b1c2b0c6fd35eb3343ac4187e0c70e55043c9e6ad0970a6702632' },
  ]);
  expect(contents()).toEqual({ out: 'main of a' });
});

describe('the lock of a prefix', () => {
  it('that a killed run left is removed', async () => {
    writeFileSync(lockPath(at('out')), ofEnded(temporaryPath(at('out'), 'tmp'), endedProcess()));
    await writeFiles(prefixTarget(), atPrefix('a'));
    expect(contents()).toEqual({ 'out.data': 'data of a', 'out.main': 'main of a' });
  });

  it('of a run that goes on is waited for', async () => {
    writeFileSync(lockPath(at('out')), temporaryPath(at('out'), 'tmp'));
    let isDone = false;
    const writing = writeFiles(prefixTarget(), atPrefix('a')).then(() => {
      isDone = true;
    });
    // All bytes are there, and nothing has its name.
    while (readdirSync(folder).filter((name) => name.endsWith('.tmp')).length < 3) await new Promise(setImmediate);
    for (let i = 0; i < 100; i++) await new Promise(setImmediate);
    expect([isDone, existsSync(at('out.main'))]).toEqual([false, false]);
    rmSync(lockPath(at('out')));
    await writing;
    expect(contents()).toEqual({ 'out.data': 'data of a', 'out.main': 'main of a' });
  });
});
