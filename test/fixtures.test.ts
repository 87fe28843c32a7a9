import { describe, expect, test } from 'vitest';
import { BnfixError, EXIT_CODES } from '../src/errors.js';
import { runGraph } from '../src/execute/run.js';
import { refText } from '../src/graph/graph.js';
import { MemorySource } from '../src/io/source.js';
import { readGraphDef } from '../src/readers/graph_def.js';
import { type Case, casesOf } from './support/cases.js';
import { difference, elementAt } from './support/compare.js';
import { edgesBackwards, frozenBytes, leftovers } from './support/frozen.js';
import { readGolden } from './support/golden.js';

/** Issues whose cases have to pass. */
const ISSUES = [3];

async function expectFrozen(one: Case): Promise<void> {
  const { bytes, report, promised } = await frozenBytes(one);
  expect(bytes.length).toBe(promised);
  expect((await frozenBytes(one)).bytes.equals(bytes), 'frozen again, the bytes are the same').toBe(true);
  if (one.expect === 'unchanged') expect(report.batchNorms.filter(({ action }) => action === 'repaired')).toEqual([]);

  const graph = readGraphDef(new MemorySource(bytes));
  expect(leftovers(graph, one.keeps)).toEqual([]);
  expect(edgesBackwards(graph)).toEqual([]);

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
  expect(EXIT_CODES[(error as BnfixError).code], String(error)).toBe(exitCode);
}

describe('fixtures', () => {
  test.each(casesOf(ISSUES))('$name: $form', async (one) => {
    if (typeof one.expect === 'object') await expectRefused(one, one.expect.refuse);
    else await expectFrozen(one);
  });
});
