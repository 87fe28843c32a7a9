import { afterAll, describe, expect, test, vi } from 'vitest';
import type { FormatInput } from '../../../src/formats/format.js';
import { fold } from '../../../src/freezing/fold.js';
import { freeze } from '../../../src/freezing/freeze.js';
import { load } from '../../../src/load.js';
import { allCases, type Case } from '../../support/cases.js';
import { difference } from '../../support/compare.js';
import { readGolden } from '../../support/golden.js';
import { filesOf, jsonIn, runFiles } from './support.js';

/** What TensorFlow.js cannot run, and bnfix says so. */
const REFUSED: Readonly<Record<string, string>> = {
  dtypes_ref: 'TensorFlow.js has no op StringToNumber',
  dtypes_resource_115: 'TensorFlow.js has no op StringToNumber',
  dtypes_resource_212: 'TensorFlow.js has no op StringToNumber',
  embedding_ref: 'TensorFlow.js has no ops DynamicPartition, DynamicStitch',
  saliency_115: 'TensorFlow.js has no op FusedBatchNormGradV3',
  saliency_212: 'TensorFlow.js has no op FusedBatchNormGradV3',
};

const CASES = allCases().filter((one) => typeof one.expect === 'string');

/** It warns of models that need not be run asynchronously. */
const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
afterAll(() => warn.mockRestore());

describe.each([
  ['freeze', freeze, CASES],
  ['fold', fold, CASES.filter((_, i) => i % 4 === 0)],
] as const)('what %s makes, in TensorFlow.js itself', (_command, make: typeof freeze, cases) => {
  test.each(cases)('$name: $form', async (one) => {
    using model = await load(one.model, one.load);
    const result = make(model, one.freeze);
    const refused = REFUSED[one.name];
    if (refused !== undefined) return expect(filesOf(result)).rejects.toThrow(refused);
    expect(await differenceOf(one, result)).toBeLessThanOrEqual(Math.max(one.tolerance, 2e-5));
  });
});

/** The largest difference from what TensorFlow computed for the inference net. */
async function differenceOf(one: Case, result: FormatInput): Promise<number> {
  const files = await filesOf(result);
  const golden = readGolden(one.golden);
  const nodes = new Set(jsonIn(files).modelTopology.node.map(({ name }) => name));
  const feeds = Object.entries(golden.inputs).filter(([name]) => nodes.has(name.replace(/:\d+$/, '')));
  const outputs = await runFiles(files, Object.fromEntries(feeds), Object.keys(golden.outputs));
  return Math.max(...Object.entries(golden.outputs).map(([name, value]) => difference(outputs[name]!, value)));
}
