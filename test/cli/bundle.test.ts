import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CLI, ensureBuilt, MAIN } from './build.js';
import { BAG_MODEL, temporaryFolder } from './support.js';

const at = temporaryFolder();
beforeAll(ensureBuilt, 120_000);

describe('the bundled command line', () => {
  const folder = dirname(CLI);
  const BUNDLE = readdirSync(folder)
    .filter((name) => name.endsWith('.cjs'))
    .map((name) => ({ name, code: readFileSync(join(folder, name), 'utf8') }));

  interface Range {
    readonly startOffset: number;
    readonly endOffset: number;
    readonly count: number;
  }

  /** Tells what a command ran of the bundle: whether the code did in which a text first stands, in any file. */
  function coverageOf(args: readonly string[]): (text: string) => boolean {
    const results = at('coverage');
    execFileSync(process.execPath, [MAIN, ...args], { stdio: 'ignore', env: { NODE_V8_COVERAGE: results } });
    const [file] = readdirSync(results);
    const { result } = JSON.parse(readFileSync(join(results, file!), 'utf8')) as {
      result: { url: string; functions: { ranges: Range[] }[] }[];
    };
    rmSync(results, { recursive: true });
    const length = (range: Range) => range.endOffset - range.startOffset;
    return (text) => {
      const files = BUNDLE.filter(({ code }) => code.includes(text));
      expect(files.length, text).toBeGreaterThan(0);
      return files.some(({ name, code }) => {
        const place = code.indexOf(text);
        const loaded = result.find(({ url }) => url.endsWith(`/${name}`));
        const ranges = loaded?.functions.flatMap((one) => one.ranges) ?? [];
        const around = ranges.filter(({ startOffset, endOffset }) => startOffset <= place && place < endOffset);
        return (
          around.length > 0 &&
          around.reduce((least, range) => (length(range) <= length(least) ? range : least)).count > 0
        );
      });
    };
  }

  const PROTOBUF = 'NodeDef=';
  const OP_TABLE = 'FusedBatchNormV3';
  const FOLD = 'into the weights of neighbouring ops';
  const NATIVE = '@node-rs/crc32';
  const REFLECTION = 'illegal string escape';

  it('starts without the library, without protobuf and without native code', () => {
    const ran = coverageOf(['--version']);
    expect([PROTOBUF, OP_TABLE, FOLD, NATIVE, REFLECTION].map(ran)).toEqual([false, false, false, false, false]);
  });

  it('freezes a small net without what folds, without reflection and without native code', () => {
    const ran = coverageOf(['freeze', BAG_MODEL, '-o', at('bag.pb'), '--force']);
    expect([PROTOBUF, OP_TABLE, FOLD, NATIVE, REFLECTION].map(ran)).toEqual([true, true, false, false, false]);
  });

  it('has nothing of tfjs, and of emojis only in its question', () => {
    const withOthers = BUNDLE.filter(({ code }) => /tfjs-(core|converter|backend)|emoji/i.test(code));
    expect(withOthers.map(({ name }) => name)).toEqual(['ask_outputs.cjs']);
    expect(BUNDLE.reduce((sum, { code }) => sum + code.length, 0)).toBeLessThan(2_200_000);
  });
});
