import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CLI, ensureBuilt, MAIN } from './build.js';
import { BAG_MODEL, temporaryFolder } from './support.js';

const at = temporaryFolder();
beforeAll(ensureBuilt, 120_000);

describe('the bundled command line', () => {
  interface Range {
    readonly startOffset: number;
    readonly endOffset: number;
    readonly count: number;
  }

  /** Tells what a command ran of the bundle: whether the code did in which a text first stands. */
  function coverageOf(args: readonly string[]): (text: string) => boolean {
    const results = at('coverage');
    execFileSync(process.execPath, [MAIN, ...args], { stdio: 'ignore', env: { NODE_V8_COVERAGE: results } });
    const [file] = readdirSync(results);
    const { result } = JSON.parse(readFileSync(join(results, file!), 'utf8')) as {
      result: { url: string; functions: { ranges: Range[] }[] }[];
    };
    rmSync(results, { recursive: true });
    const code = readFileSync(CLI, 'utf8');
    const ranges = result.find(({ url }) => url.endsWith('cli.cjs'))!.functions.flatMap((one) => one.ranges);
    const length = (range: Range) => range.endOffset - range.startOffset;
    return (text) => {
      const place = code.indexOf(text);
      expect(place, text).toBeGreaterThan(0);
      const around = ranges.filter(({ startOffset, endOffset }) => startOffset <= place && place < endOffset);
      return around.reduce((least, range) => (length(range) <= length(least) ? range : least)).count > 0;
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

  it('has nothing of tfjs, of pictures or of emojis in it', () => {
    const text = readFileSync(CLI, 'utf8');
    expect(text).not.toMatch(/tensorflow\/tfjs|viz-js|emoji/i);
    expect(text.length).toBeLessThan(1_500_000);
  });
});
