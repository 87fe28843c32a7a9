import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { BnfixError } from '../../../src/errors.js';
import { freeze } from '../../../src/freezing/freeze.js';
import { load } from '../../../src/load.js';
import { difference } from '../../support/compare.js';
import { tensorsOf } from '../../support/golden.js';
import { filesOf, jsonIn, runFiles } from './support.js';

/** A graph of one op that TensorFlow computed: see scripts/formats/tfjs_ops.py. */
interface OpCase {
  readonly name: string;
  /** A GraphDef in base64; its output is `out`. */
  readonly graph: string;
  readonly inputs: Parameters<typeof tensorsOf>[0];
  readonly output: NonNullable<Parameters<typeof tensorsOf>[0]>[string];
}

const path = new URL('ops.json.gz', import.meta.url);
const CASES = JSON.parse(gunzipSync(readFileSync(path)).toString()) as readonly OpCase[];

/** What bnfix says of ops that TensorFlow.js cannot run. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  einsum4: /cannot run Einsum/,
  i8_wrap: /does not compute in int8/,
  pool_explicit: /ignores attrs/,
  u8_wrap: /does not compute in uint8/,
};

/** Known differences. */
const DIFFERENT: Readonly<Record<string, string>> = {
  cast_h: 'float16 is float32',
  crop_n: 'halfway between two pixels, the other one',
  u8_neg: 'numbers beyond uint8 do not wrap around',
};

/** Ops that TensorFlow.js does not have. */
// cspell:disable
const LACKS =
  `bf_Xdivy bf_Xlogy maxpoolv2 rbc rarea intopk dpart dstitch segsum usegsum diag matinv extract cross lgamma
  digamma bitand popcnt roll adjust resize_area ctc`.split(/\s+/);
// cspell:enable

const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
afterAll(() => warn.mockRestore());

describe('an op of TensorFlow, in TensorFlow.js itself', () => {
  test.each(CASES)('$name', async ({ name, graph, inputs, output }) => {
    using model = await load(Uint8Array.from(Buffer.from(graph, 'base64')));
    const made = filesOf(freeze(model, { outputs: ['out'] }));
    const refused = LACKS.includes(name) ? /TensorFlow.js has no op \w+$/ : REFUSED[name];
    if (refused) {
      const error = await made.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(BnfixError);
      expect((error as BnfixError).message).toMatch(refused);
      return;
    }
    const files = await made;
    const nodes = new Set(jsonIn(files).modelTopology.node.map((node) => node.name));
    const feeds = Object.entries(tensorsOf(inputs)).filter(([input]) => nodes.has(input));
    const { out } = await runFiles(files, Object.fromEntries(feeds), ['out']);
    const off = difference(out!, tensorsOf({ out: output }).out!);
    if (DIFFERENT[name] === undefined) expect(off).toBeLessThanOrEqual(2e-5);
    else expect(off, DIFFERENT[name]).toBeGreaterThan(2e-5);
  });

  test('all that are refused are among them', () => {
    const names = CASES.map(({ name }) => name);
    expect(
      [...LACKS, ...Object.keys(REFUSED), ...Object.keys(DIFFERENT)].filter((name) => !names.includes(name)),
    ).toEqual([]);
  });
});
