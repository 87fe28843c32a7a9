import { afterAll, describe, expect, it } from 'vitest';
import { analyse } from '../../src/freezing/analyse.js';
import { fold } from '../../src/freezing/fold.js';
import { freeze } from '../../src/freezing/freeze.js';
import { attr, attrFloat } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import type { Graph } from '../../src/graph/graph.js';
import type { Node } from '../../src/graph/node.js';
import { numberTensor, readNumbers } from '../../src/graph/tensor.js';
import { load } from '../../src/load.js';
import type { LoadedModel } from '../../src/load_sources.js';
import { compare } from '../../src/proof/compare.js';
import type { VerifyReport } from '../../src/proof/report.js';
import { verify } from '../../src/proof/verify.js';
import { runGraph } from '../../src/run/run.js';
import type { TensorValues } from '../../src/run/value.js';
import { allCases, type Case } from '../support/cases.js';
import { readGolden } from '../support/golden.js';

/** Fixtures whose repairs are broken: fused, unfused, renormalised, quantised, folded by flag, with dropout, of SavedModels. */
const MODELS = [
  'mission_numbers',
  'fused_versions_115',
  'layers_unfused_212',
  'renorm_115',
  'quantize_115',
  'phase_train_115',
  'dropout_rate_115',
  'saved_model_keras_true_212',
  'nchw_115',
  'rank5_115',
];

/** Ways to break a repair: each changes a copy of a right graph at one constant or op; undefined if it does not apply. */
const BREAKS: Readonly<Record<string, (graph: Graph, node: Node) => boolean>> = {
  'one channel': (graph, node) =>
    changed(graph, node, (x) => x.map((v, i) => (i === x.length - 1 ? v * 1.5 + 0.25 : v))),
  'channels off by one': (graph, node) => changed(graph, node, (x) => x.map((_, i) => x[(i + 1) % x.length]!)),
  'decayed once more': (graph, node) => changed(graph, node, (x) => x.map((v) => v * 0.9)),
  dropped: (graph, node) => changed(graph, node, (x) => x.map(() => 1)),
  epsilon: (graph, node) => {
    const epsilon = attrFloat(node, 'epsilon');
    if (epsilon === undefined) return false;
    graph.setAttr(node, 'epsilon', attr.float(epsilon * 1000));
    return true;
  },
  'statistics swapped': (graph, node) => {
    if (!/^FusedBatchNorm/.test(node.op)) return false;
    const [x, scale, offset, mean, variance] = node.inputs;
    graph.setInputs(node, [x!, scale!, offset!, variance!, mean!]);
    return true;
  },
  "a neighbour's value": (graph, node) => {
    const shape = node.op === 'Const' && node.tensor!.dtype === 1 ? `${node.tensor!.shape}` : '';
    const other = [...graph.nodes()].find(
      (each) => each !== node && each.op === 'Const' && each.tensor!.dtype === 1 && `${each.tensor!.shape}` === shape,
    );
    if (!other || shape === '') return false;
    graph.replaceByConst(node, other.tensor!);
    return true;
  },
  'an op bypassed': (graph, node) => {
    if (!/^(Relu6?|Mul|Add(V2)?|Sub|BiasAdd)$/.test(node.op)) return false;
    graph.replaceUses({ node: node.name, port: 0 }, node.inputs[0]!);
    return graph.dataConsumers(node.inputs[0]!.node).length > 0;
  },
};

function changed(graph: Graph, node: Node, change: (numbers: Float64Array) => Float64Array): boolean {
  const tensor = node.op === 'Const' ? node.tensor! : undefined;
  if (tensor?.dtype !== 1 || tensor.shape.length !== 1) return false;
  graph.replaceByConst(node, numberTensor(tensor.dtype, tensor.shape, change(readNumbers(tensor))));
  return true;
}

const cases = new Map(allCases().map((one) => [one.name, one]));
const counts = { broken: 0, caught: 0, harmless: 0 };

/** Runs `test` on a loaded fixture. */
async function onModel(name: string, test: (model: LoadedModel, one: Case, values: TensorValues) => Promise<void>) {
  const one = cases.get(name)!;
  const model = await load(one.model, one.load);
  try {
    await test(model, one, readGolden(one.golden).inputs);
  } finally {
    model.close();
  }
}

const failed = ({ proofs }: VerifyReport) => proofs.filter(({ status }) => status === 'failed').map(({ name }) => name);

describe('verify finds what is broken', () => {
  it.each(MODELS)('%s: whatever constant or op is changed', (name) =>
    onModel(name, async (model, one, values) => {
      const { graph, report } = freeze(model, one.freeze);
      const outputs = report.outputs.map((output) => output.name);
      const inputs = Object.fromEntries(Object.entries(values).filter(([key]) => graph.has(key.replace(/:0$/, ''))));
      const right = await runGraph(graph, inputs, outputs);
      const missed: string[] = [];
      for (const [kind, breaks] of Object.entries(BREAKS)) {
        for (const node of [...graph.nodes()]) {
          const repaired = graph.copy();
          if (!breaks(repaired, repaired.get(node.name))) continue;
          const wrong = await runGraph(repaired, inputs, outputs);
          const { proofs, passed, tolerance } = await verify(model, { ...one.freeze, values, fixed: repaired });
          const isHarmless = outputs.every((key) => compare(key, wrong[key]!, right[key]!, tolerance).isWithin);
          const isNamed = proofs.some(({ firstDifference, unexplained }) => firstDifference || unexplained.length > 0);
          if (isHarmless) counts.harmless++;
          else {
            counts.broken++;
            if (!passed && isNamed) counts.caught++;
            else missed.push(`${kind} at ${node.name}`);
          }
        }
      }
      expect(missed).toEqual([]);
    }),
  );

  it('a dropout that is still active', () =>
    onModel('dropout_rate_115', async (model, one, values) => {
      const { dropouts } = analyse(model, one.freeze);
      const keep = dropouts.map(({ output }) => output);
      const repaired = freeze(model, { ...one.freeze, keep }).graph;
      const report = await verify(model, { ...one.freeze, values, fixed: repaired });
      expect(failed(report)).toEqual(expect.arrayContaining(['substitution', 'statistics']));
    }));

  it('the branch for training', () =>
    onModel('phase_train_115', async (model, one, values) => {
      const set = { [analyse(model, one.freeze).flags[0]!.node]: true };
      const keep = ['*'];
      const repaired = freeze(model, { ...one.freeze, set, keep }).graph;
      expect(failed(await verify(model, { ...one.freeze, values, fixed: repaired }))).toContain('batch_independence');
    }));

  it('a kernel that was folded with the factors of another channel', () =>
    onModel('mission_numbers', async (model, one, values) => {
      const folded = fold(model, one.freeze).graph.copy();
      const kernel = [...folded.nodes()].find((node) => node.op === 'Const' && node.tensor!.shape.length === 4)!;
      const numbers = readNumbers(kernel.tensor!);
      const rolled = numbers.map((_, i) => numbers[(i + 1) % numbers.length]!);
      folded.replaceByConst(kernel, numberTensor(DataType.DT_FLOAT, kernel.tensor!.shape, rolled));
      const report = await verify(model, { ...one.freeze, values, folded });
      expect(failed(report)).toEqual(['folding']);
      expect(report.proofs.at(-1)!.firstDifference!.tensor).toMatch(/BatchNorm|output/);
    }));

  afterAll(() => {
    expect(counts.broken).toBeGreaterThanOrEqual(200);
    if (process.env.BNFIX_COUNTS) console.log(counts);
  });
});
