import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { attrBool } from '../../src/graph/attrs.js';
import type { Graph } from '../../src/graph/graph.js';
import { load } from '../../src/load.js';
import { runGraph } from '../../src/run/run.js';
import { difference } from '../support/compare.js';
import { readGolden } from '../support/golden.js';
import { BYTES_ONLY, Results } from '../support/results.js';
import { folded, foldedModel } from './support.js';
import { ungrouped } from './ungrouped.js';

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));

/** As scripts/fold/make_fixtures.py writes it. */
interface FoldCase {
  readonly name: string;
  readonly form: string;
  readonly outputs: readonly string[];
  readonly tolerance: number;
  /** Where the graph as it was is further off in TensorFlow.js. */
  readonly toleranceTfjs: number | null;
  /** What has to become of each batch norm. */
  readonly folded: Readonly<Record<string, string>>;
  /** No arithmetic of a batch norm may be left. */
  readonly only: boolean;
  readonly options: { readonly duplicateWeights?: boolean };
}

const CASES: FoldCase[] = readdirSync(FIXTURES)
  .sort()
  .map((name) => JSON.parse(readFileSync(`${FIXTURES}/${name}/case.json`, 'utf8')));

const results = new Results('fold/fold_results.txt');

describe('nets that TensorFlow made', () => {
  afterAll(() => results.save(CASES.map(({ name }) => name)));

  test.each(CASES)('$name: $form', async (one) => {
    const folder = `${FIXTURES}/${one.name}`;
    const model = await load(`${folder}/model.pb`);
    const before = model.graph.copy();
    const options = { ...one.options, outputs: one.outputs };
    const { graph, bytes, report } = foldedModel(model, options);
    model.close();

    const actions = Object.fromEntries(report.folded.map(({ name, action }) => [name, action]));
    expect(actions, JSON.stringify(report.folded)).toMatchObject(one.folded);
    const isKept = Object.values(one.folded).includes('kept');
    if (!isKept) expect(ops(graph, /^_?FusedBatchNorm/)).toEqual([]);
    if (one.only) expect(ops(graph, /^(Rsqrt|Sqrt|RealDiv|Sub)$/)).toEqual([]);
    expect(report.cost.after.multiplications).toBeLessThanOrEqual(report.cost.before.multiplications);

    results.expect(one.name, bytes);
    if (BYTES_ONLY) return;
    const golden = readGolden(`${folder}/golden.json`);
    const limit = one.toleranceTfjs ?? one.tolerance;
    for (const [when, each] of Object.entries({ before, after: graph })) {
      if (ops(each, /^_FusedBatchNormEx$/).length > 0) continue; // TensorFlow.js has no such op
      const outputs = await runGraph(ungrouped(each), golden.inputs, one.outputs);
      for (const [name, expected] of Object.entries(golden.outputs)) {
        expect(difference(outputs[name]!, expected), `${name} ${when}`).toBeLessThanOrEqual(limit);
      }
    }

    expect(folded(graph, one.outputs, one.options).bytes.equals(bytes), 'folded again, the bytes are the same').toBe(
      true,
    );
  });
});

function ops(graph: Graph, pattern: RegExp): string[] {
  const nodes = [...graph.nodes()].filter((node) => pattern.test(node.op) && attrBool(node, 'is_training') !== true);
  return nodes.map(({ name, op }) => `${name} (${op})`);
}
