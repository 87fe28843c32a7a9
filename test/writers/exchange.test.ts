import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exchange, type Finished, giveToFile, giveToFolder } from '../../src/writers/exchange.js';
import { publish } from '../../src/writers/file.js';
import { exclusively } from '../../src/writers/lock.js';
import { lockPath } from '../../src/writers/temporary.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bnfix exchange '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const write = (files: Readonly<Record<string, string>>) => {
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
};
const contents = () => Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(at(name), 'utf8')]));
/** A data file, and the main one. */
const finished = (): Finished[] =>
  ['data', 'main'].map((name) => ({ temporary: at(`${name}.new`), path: at(`out.${name}`) }));

describe('exchange', () => {
  it('gives new files the names of old ones, the main file of which goes first', async () => {
    write({ 'out.data': 'old', 'out.main': 'old', 'out.extra': 'old', 'data.new': 'new', 'main.new': 'new' });
    const names: string[][] = [];
    await exchange(at('out'), [at('out.extra'), at('out.data'), at('out.main')], finished(), async (each) => {
      names.push(readdirSync(folder).filter((name) => name.startsWith('out')));
      await giveToFile(each);
    });
    // Old and new ones are never there together.
    expect(names).toEqual([[], ['out.data']]);
    expect(contents()).toEqual({ 'out.data': 'new', 'out.main': 'new' });
  });

  it('puts everything back if one file cannot get its name', async () => {
    const before = { 'out.data': 'old', 'out.main': 'old', 'data.new': 'new', 'main.new': 'new' };
    write(before);
    const give = async (each: Finished) => {
      if (each.path.endsWith('main')) throw new Error('no more names');
      await giveToFile(each);
    };
    const replaced = [at('out.data'), at('out.main')];
    await expect(exchange(at('out'), replaced, finished(), give)).rejects.toThrow('no more names');
    expect(contents()).toEqual({ 'out.data': 'old', 'out.main': 'old', 'main.new': 'new' });
  });

  it('does not mind if another process was faster to move a file away, but any other error', async () => {
    write({ 'out.main': 'old', 'data.new': 'new', 'main.new': 'new' });
    await exchange(at('out'), [at('out.data'), at('out.main')], finished(), giveToFile);
    expect(contents()).toEqual({ 'out.data': 'new', 'out.main': 'new' });
    const work = exchange(at('out'), [at('out.data/x')], [], giveToFile);
    await expect(work).rejects.toMatchObject({ code: 'ENOTDIR' });
    expect(contents()).toEqual({ 'out.data': 'new', 'out.main': 'new' });
  });
});

describe('a folder gets its name', () => {
  it('unless something else has it', async () => {
    mkdirSync(at('new'));
    writeFileSync(at('file'), '');
    mkdirSync(at('full'));
    writeFileSync(at('full/file'), '');
    for (const path of [at('file'), at('full')]) {
      await expect(giveToFolder({ temporary: at('new'), path })).rejects.toMatchObject({
        code: 'unwritable',
        message: `${path} already exists`,
        fix: 'force: true  overwrites it\noutput: DIR  chooses another name',
      });
    }
    await expect(giveToFolder({ temporary: at('new'), path: at('none/out') })).rejects.toMatchObject({
      code: 'ENOENT',
    });
    await giveToFolder({ temporary: at('new'), path: at('out') });
    expect(readdirSync(folder).sort()).toEqual(['file', 'full', 'out']);
  });
});

describe('publish', () => {
  it('replaces with force only', async () => {
    write({ out: 'old', new: 'new' });
    await expect(publish(at('new'), at('out'), false)).rejects.toMatchObject({
      message: `${at('out')} already exists`,
    });
    expect(contents()).toEqual({ out: 'old', new: 'new' });
    await publish(at('new'), at('out'), true);
    expect(contents()).toEqual({ out: 'new' });
  });

  it('renames what cannot have a second name', async () => {
    // No system makes hard links to folders.
    mkdirSync(at('new'));
    await publish(at('new'), at('out'), false);
    expect(readdirSync(folder)).toEqual(['out']);
  });
});

describe('exclusively', () => {
  it('holds a lock while it works, and removes it, also after an error', async () => {
    const lock = lockPath(at('out'));
    expect(await exclusively(at('out'), async () => existsSync(lock))).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
    const work = exclusively(at('out'), () => Promise.reject(new Error('it failed')));
    await expect(work).rejects.toThrow('it failed');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('works for one at a time', async () => {
    let running = 0;
    const most: number[] = [];
    const work = async () => {
      most.push(++running);
      for (let i = 0; i < 20; i++) await new Promise(setImmediate);
      running--;
    };
    await Promise.all([1, 2, 3].map(() => exclusively(at('out'), work)));
    expect(most).toEqual([1, 1, 1]);
  });

  it('does not confuse targets', async () => {
    expect(lockPath(at('out'))).not.toBe(lockPath(at('other')));
    const inner = () => exclusively(at('other'), async () => 'both');
    expect(await exclusively(at('out'), inner)).toBe('both');
  });
});
