import { afterAll, describe, expect, test } from 'vitest';
import { load } from '../../src/load.js';
import { anyOf } from '../../src/ops/meaning.js';
import { runGraph } from '../../src/run/run.js';
import { allCases } from '../support/cases.js';
import { difference } from '../support/compare.js';
import { readGolden } from '../support/golden.js';
import { BYTES_ONLY, Results } from '../support/results.js';
import { folded, foldedModel } from './support.js';

const CASES = allCases().filter((one) => typeof one.expect === 'string');

const results = new Results('fold/results.txt');

describe('what freeze repairs, folded', () => {
  afterAll(() => results.save(CASES.map(({ name }) => name)));

  test.each(CASES)('$name: $form', async (one) => {
    const model = await load(one.model, one.load);
    const { graph, bytes, report } = (() => {
      try {
        return foldedModel(model, one.freeze);
      } finally {
        model.close();
      }
    })();
    results.expect(one.name, bytes);
    if (BYTES_ONLY) return;
    const golden = readGolden(one.golden);
    const inputs = Object.fromEntries(Object.entries(golden.inputs).filter(([name]) => graph.has(name.split(':')[0]!)));
    const hasTable = [...graph.nodes()].some(anyOf('table'));
    // Else TensorFlow runs it: scripts/fold/verify.py.
    const outputs = hasTable ? {} : await runGraph(graph, inputs, Object.keys(golden.outputs));
    for (const [name, expected] of hasTable ? [] : Object.entries(golden.outputs)) {
      expect(difference(outputs[name]!, expected), name).toBeLessThanOrEqual(one.tolerance);
    }
    const again = folded(
      graph,
      report.outputs.map(({ name }) => name),
      { keep: one.freeze.keep ?? [], allowUntrained: true },
    );
    expect(again.bytes.equals(bytes), 'folded again, the bytes are the same').toBe(true);
  });
});
