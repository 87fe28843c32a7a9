import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile, loadCompiled, writeCache } from '../../src/cli/code_cache.js';
import { CLI, ensureBuilt, MAIN, PLAIN_ENV } from './build.js';
import { BAG_MODEL, spawnCli, temporaryFolder } from './support.js';

const at = temporaryFolder();
const CODE = "const { sep } = require('node:path');\nexports.answer = (x) => x + 1 + sep + __filename;\n";
type Exports = { answer: (x: number) => string };

async function writeCode(name: string): Promise<string> {
  const file = at(name);
  writeFileSync(file, CODE);
  await writeCache(file, async (exports) => (exports as Exports).answer(1));
  return file;
}

function flip(file: string, place: number): void {
  const bytes = readFileSync(file);
  bytes[(place + bytes.length) % bytes.length]! ^= 1;
  writeFileSync(file, bytes);
}

describe('a code cache', () => {
  it('is used, and the code runs as it would without', async () => {
    const file = await writeCode('used.cjs');
    expect(compile(file).cachedDataRejected).toBe(false);
    const cached = (loadCompiled(file) as Exports).answer(41);
    rmSync(`${file}.cache`);
    expect(compile(file).cachedDataRejected).toBeUndefined();
    expect((loadCompiled(file) as Exports).answer(41)).toBe(cached);
    expect(cached).toMatch(/^42.*used\.cjs$/);
  });

  it('of a file that has changed since, at the same length, is not used', async () => {
    const file = await writeCode('changed.cjs');
    writeFileSync(file, CODE.replace('x + 1', 'x + 2'));
    expect(compile(file).cachedDataRejected).toBeUndefined();
    expect((loadCompiled(file) as Exports).answer(41)).toMatch(/^43/);
  });

  it.each([
    ['at its start', 0],
    ['in the middle', 200],
    ['at its end', -1],
  ])('that is corrupt %s is not used', async (_where, place) => {
    const file = await writeCode('corrupt.cjs');
    flip(`${file}.cache`, place);
    expect(compile(file).cachedDataRejected).toBeUndefined();
    expect((loadCompiled(file) as Exports).answer(41)).toMatch(/^42/);
  });

  it('of another Node is not used, even where V8 would take it', async () => {
    const file = await writeCode('other.cjs');
    const { execPath } = process;
    process.execPath = file;
    try {
      expect(compile(file).cachedDataRejected).toBeUndefined();
    } finally {
      process.execPath = execPath;
    }
    expect(compile(file).cachedDataRejected).toBe(false);
  });

  it.each([0, 3, 100])('of %i bytes is not used', async (length) => {
    const file = await writeCode('short.cjs');
    writeFileSync(`${file}.cache`, readFileSync(`${file}.cache`).subarray(0, length));
    expect((loadCompiled(file) as Exports).answer(41)).toMatch(/^42/);
  });
});

describe('the built CLI', () => {
  beforeAll(ensureBuilt, 120_000);

  it('has a cache, which Node takes', () => {
    const compiler = join(dirname(MAIN), 'code_cache.js');
    const code = `import { compile } from ${JSON.stringify(pathToFileURL(compiler).href)};
      console.log(compile(${JSON.stringify(CLI)}).cachedDataRejected);`;
    const args = ['--input-type=module', '-e', code];
    expect(execFileSync(process.execPath, args, { encoding: 'utf8', env: PLAIN_ENV })).toBe('false\n');
  });

  it('writes the same file without it', async () => {
    const dist = at('package/dist');
    mkdirSync(dist, { recursive: true });
    cpSync(dirname(MAIN), join(dist, 'cli'), { recursive: true });
    cpSync(join(dirname(MAIN), '../../package.json'), at('package/package.json'));
    rmSync(join(dist, 'cli/cli.cjs.cache'));
    const command = [process.execPath, join(dist, 'cli/main.js')];
    const args = (output: string) => ['freeze', BAG_MODEL, '-o', at(output), '-q'];
    expect(await spawnCli(args('without.pb'), { command })).toMatchObject({ code: 0, stderr: '' });
    expect((await spawnCli(args('with.pb'))).code).toBe(0);
    expect(readFileSync(at('without.pb')).equals(readFileSync(at('with.pb')))).toBe(true);
  });
});
