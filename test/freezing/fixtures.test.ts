import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Problem } from '../../src/analysis/training/problems.js';
import { BnfixError, EXIT_CODES } from '../../src/errors.js';
import { freeze } from '../../src/freezing/freeze.js';
import type { Graph } from '../../src/graph/graph.js';
import { refText } from '../../src/graph/node.js';
import { MemorySource } from '../../src/io/source.js';
import { load } from '../../src/load.js';
import { anyOf } from '../../src/ops/meaning.js';
import { readGraphDef } from '../../src/readers/graph_def.js';
import { runGraph } from '../../src/run/run.js';
import { allCases, type Case } from '../support/cases.js';
import { difference, elementAt } from '../support/compare.js';
import { edgesBackwards, frozenBytes, leftovers } from '../support/frozen.js';
import { type Golden, readGolden } from '../support/golden.js';
import { BYTES_ONLY, Results } from '../support/results.js';

const isTable = anyOf('table');

const results = new Results('freezing/results.txt');

async function expectFrozen(one: Case): Promise<void> {
  const { bytes, report, promised } = await frozenBytes(one);
  expect(bytes.length).toBe(promised);
  results.expect(one.name, bytes);
  if (BYTES_ONLY) return;
  expect((await frozenBytes(one)).bytes.equals(bytes), 'frozen again, the bytes are the same').toBe(true);
  if (one.expect === 'unchanged') expect(report.batchNorms.filter(({ status }) => status === 'repaired')).toEqual([]);

  const graph = readGraphDef(new MemorySource(bytes));
  expect(leftovers(graph, one.keeps)).toEqual([]);
  expect(edgesBackwards(graph)).toEqual([]);

  // TensorFlow runs them (scripts/verify), TensorFlow.js does not.
  if ([...graph.nodes()].some(isTable)) return;
  const golden = readGolden(one.golden);
  const inputs = Object.fromEntries(Object.entries(golden.inputs).filter(([name]) => graph.has(name.split(':')[0]!)));
  const outputs = await runGraph(graph, inputs, Object.keys(golden.outputs));
  for (const [name, expected] of Object.entries(golden.outputs)) {
    expect(outputs[name]!.dtype).toBe(expected.dtype);
    expect(difference(outputs[name]!, expected), name).toBeLessThanOrEqual(one.tolerance);
  }

  if (!one.probe) return;
  const { output, index, x, value, tolerance } = one.probe;
  const before = refText(graph.get(output.split(':')[0]!).inputs[0]!);
  const probed = await runGraph(graph, inputs, [before, output]);
  expect(Math.abs(elementAt(probed[before]!, index) - x)).toBeLessThanOrEqual(tolerance);
  expect(Math.abs(elementAt(probed[output]!, index) - value)).toBeLessThanOrEqual(tolerance);
}

async function expectRefused(one: Case, exitCode: number): Promise<void> {
  const error = await frozenBytes(one).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BnfixError);
  const { code, data } = error as BnfixError;
  expect(EXIT_CODES[code], String(error)).toBe(exitCode);
  const problems = (data as { problems?: readonly Problem[] } | undefined)?.problems ?? [];
  results.expect(one.name, ['refused', code, ...new Set(problems.map((problem) => problem.code))].join(' '));
}

/** The most different an output may be from the golden one, over all of them. */
async function worst(graph: Graph, { inputs, outputs }: Golden): Promise<number> {
  const answers = await runGraph(graph, inputs, Object.keys(outputs));
  return Math.max(...Object.entries(outputs).map(([name, expected]) => difference(answers[name]!, expected)));
}

test('the demo model: its output is found, and right for batches of any size', async () => {
  const folder = fileURLToPath(new URL('../../examples/bag-model', import.meta.url));
  const model = await load(folder);
  const { graph, report } = freeze(model);
  expect(report.outputs).toEqual([{ name: 'output/image_output:0', dtype: 'float32', shape: [-1, -1, -1, 3] }]);
  expect(report.batchNorms.map(({ status }) => status)).toEqual(['repaired', 'repaired', 'repaired', 'repaired']);
  const golden = readGolden(join(folder, 'golden.json'));
  for (const sample of [golden, ...golden.more]) {
    expect(await worst(graph, sample)).toBeLessThanOrEqual(1e-5);
    // As it was saved it answered something else altogether.
    expect(
      difference(sample.before['output/image_output:0']!, sample.outputs['output/image_output:0']!),
    ).toBeGreaterThan(0.1);
  }
  model.close();
});

describe('fixtures', () => {
  afterAll(() => results.save(allCases().map(({ name }) => name)));

  test.each(allCases())('$name: $form', async (one) => {
    if (typeof one.expect === 'object') await expectRefused(one, one.expect.refuse);
    else await expectFrozen(one);
  });
});
