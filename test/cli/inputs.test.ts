import { cpSync, linkSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { BAG_MODEL, cli, temporaryFolder } from './support.js';

const at = temporaryFolder();
beforeEach(() => cpSync(dirname(BAG_MODEL), at('model'), { recursive: true }));

const PREFIX = 'model/bag-model-34000';

describe('an input is never overwritten, not even with --force', () => {
  it.each([
    ['the graph', `${PREFIX}.meta`],
    ['the index', `${PREFIX}.index`],
    ['the data', `${PREFIX}.data-00000-of-00001`],
    ['the state file that led to the checkpoint', 'model/checkpoint'],
    ['another spelling of it', 'model/../model/./checkpoint'],
  ])('%s', async (_, name) => {
    const before = readFileSync(at(name));
    linkSync(at(name), at('hard'));
    symlinkSync(at(name), at('soft'));
    // The extensions of the first two are refused before.
    const own = /\.(meta|index)$/.test(name) ? [] : [at(name), `${at('')}/${name}`];
    for (const target of [...own, at('hard'), at('soft')]) {
      const { code, stderr } = await cli(['freeze', at('model'), '-o', target, '--force']);
      expect(code).toBe(6);
      expect(stderr).toContain('is one of the input files');
    }
    expect(readFileSync(at(name)).equals(before)).toBe(true);
  });

  it('the reference graph', async () => {
    expect((await cli(['freeze', at('model'), '-o', at('frozen.pb'), '-q'])).code).toBe(0);
    const reference = at(`${PREFIX}.meta`);
    const args = ['freeze', at('frozen.pb'), '--reference', reference, '--force', '-o'];
    linkSync(reference, at('same'));
    expect((await cli([...args, at('same')])).stderr).toContain('is one of the input files');
    expect((await cli([...args, at('frozen.pb')])).stderr).toContain('is one of the input files');
    expect((await cli([...args, at('again.pb')])).code).toBe(0);
  });

  it('a state file that was not used may be: it is no input', async () => {
    writeFileSync(at('model/other'), 'x');
    expect((await cli(['freeze', at(`${PREFIX}.meta`), '-o', at('model/other'), '--force', '-q'])).code).toBe(0);
  });
});
