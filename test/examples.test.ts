import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as core from '../src/core.js';
import * as library from '../src/index.js';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const MODEL = fileURLToPath(new URL('../examples/bag-model/bag-model-34000', import.meta.url));
const MODULES: Readonly<Record<string, object>> = { bnfix: library, 'bnfix/core': core };

/** The code of each `@example` that imports bnfix, under the file that it is in. */
function examplesIn(path: string): (readonly [path: string, code: string])[] {
  const comments = readFileSync(join(SRC, path), 'utf8').match(/\/\*\*[\s\S]*?\*\//g) ?? [];
  const examples = comments.flatMap((comment) => /@example\n([\s\S]*?)\n *\*(?:\/| *\n| @)/.exec(comment)?.[1] ?? []);
  const codes = examples.map((example) => example.replace(/^ *\* ?/gm, ''));
  return codes.filter((code) => code.startsWith('import ')).map((code) => [path, code]);
}

const EXAMPLES = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.startsWith('proto'))
  .sort()
  .flatMap(examplesIn);

const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>;

/** Runs an example. `expression; // value` says what an expression is. */
async function run(code: string): Promise<number> {
  let checked = 0;
  const compare = (actual: unknown, expected: unknown) => {
    expect(actual).toEqual(expected);
    checked++;
  };
  const body = code
    .replace(/^import (\{.*\}) from '(.*)';$/gm, "const $1 = modules['$2'];")
    .replace(/^(?!const )(.+); \/\/ (.+)$/gm, 'compare($1, $2);');
  const fetch = async (name: string) => new Response(readFileSync(name));
  await new AsyncFunction('modules', 'compare', 'fetch', body)(MODULES, compare, fetch);
  return checked;
}

const before = process.cwd();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bnfix-examples-'));
  for (const suffix of ['meta', 'index', 'data-00000-of-00001']) {
    copyFileSync(`${MODEL}.${suffix}`, join(folder, `model.${suffix}`));
  }
  process.chdir(folder);
});

afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

it('the main functions have examples', () => {
  const imported = EXAMPLES.flatMap(([, code]) => /^import \{ (.*) \}/.exec(code)![1]!.split(', '));
  const main = ['load', 'analyse', 'apply', 'freeze', 'fold', 'writeGraph', 'graphBytes', 'runGraph', 'tensorValue'];
  expect(main.filter((name) => !imported.includes(name))).toEqual([]);
});

it.each(EXAMPLES)('the example in %s is right', async (_path, code) => {
  expect(await run(code)).toBeGreaterThan(0);
});
