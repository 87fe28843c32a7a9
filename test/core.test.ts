import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { rolldown } from 'rolldown';
import { beforeAll, describe, expect, it } from 'vitest';
import type * as Core from '../src/core.js';
import { freeze } from '../src/freezing/freeze.js';
import { load } from '../src/load.js';
import { graphBytes } from '../src/writers/graph_bytes.js';
import { fixture } from './cli/support.js';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const BAG = fileURLToPath(new URL('../examples/bag-model/bag-model-34000', import.meta.url));

/** What a browser has beside the language itself, as far as bnfix uses it. */
const WEB = { TextDecoder, TextEncoder };

/** Bundles src/core.ts for a browser. */
async function bundleCore(): Promise<{ code: string; imports: readonly string[]; modules: readonly string[] }> {
  const bundle = await rolldown({ input: resolve(SRC, 'core.ts'), platform: 'browser', logLevel: 'silent' });
  try {
    const { output } = await bundle.generate({ format: 'iife', name: 'bnfix', codeSplitting: false, comments: false });
    expect(output).toHaveLength(1);
    return { code: output[0].code, imports: output[0].imports, modules: output[0].moduleIds };
  } finally {
    await bundle.close();
  }
}

describe('the core, bundled for a browser', () => {
  let core: typeof Core;
  let modules: readonly string[];

  beforeAll(async () => {
    const { code, imports, modules: ids } = await bundleCore();
    expect(imports).toEqual([]);
    expect(/["'`]node:|\brequire\(["'`]/.exec(code)).toBeNull();
    modules = ids.map((id) => relative(SRC, id)).filter((id) => !id.startsWith('..') && !id.startsWith('\0'));
    const context = createContext({ ...WEB });
    core = runInContext(`${code}; bnfix`, context);
    expect(runInContext('typeof process + typeof Buffer + typeof require', context)).toBe('undefined'.repeat(3));
  });

  it('has no Node.js in its own files', () => {
    expect(modules).toContain('freezing/freeze.ts');
    const uses = modules
      .filter((path) => dirname(path) !== 'proto')
      .filter((path) =>
        /\bfrom 'node:|\b(Buffer|process|NodeJS)\.|\bBuffer\b(?!\w)\(/.test(readFileSync(resolve(SRC, path), 'utf8')),
      );
    expect(uses).toEqual([]);
  });

  it('freezes a model that is bytes to the bytes that the library writes', async () => {
    const model = await core.load({
      graph: readFileSync(`${BAG}.meta`),
      checkpoint: { index: readFileSync(`${BAG}.index`), data: [readFileSync(`${BAG}.data-00000-of-00001`)] },
    });
    const bytes = core.graphBytes(core.freeze(model));
    model.close();
    const expected = await load(`${BAG}.meta`);
    expect(Buffer.from(bytes).equals(graphBytes(freeze(expected)))).toBe(true);
    expected.close();
  });

  it('reads text and throws its own errors', async () => {
    const model = await core.load(readFileSync(fixture('graph_pbtxt/graph.pbtxt')));
    expect(model.graph.size).toBeGreaterThan(10);
    await expect(core.load(new TextEncoder().encode('what?'))).rejects.toMatchObject({
      code: 'unreadable',
      message: 'graph is a text file, not a graph',
    });
  });
});
