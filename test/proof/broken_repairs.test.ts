import { afterAll, describe, expect, it } from 'vitest';
import { analyse } from '../../src/freezing/analyse.js';
import { fold } from '../../src/freezing/fold.js';
import { freeze } from '../../src/freezing/freeze.js';
import { attr, attrFloat } from '../../src/graph/attrs.js';
import type { Graph } from '../../src/graph/graph.js';
import { type Node, parseInput } from '../../src/graph/node.js';
import { numberTensor, readNumbers } from '../../src/graph/tensor.js';
import { descendants } from '../../src/graph/walk.js';
import { load } from '../../src/load.js';
import type { LoadedModel } from '../../src/load_sources.js';
import { compare } from '../../src/proof/compare.js';
import { LayerParts } from '../../src/proof/layer_parts.js';
import { findLayers } from '../../src/proof/layers.js';
import type { VerifyReport } from '../../src/proof/report.js';
import { savedGraph } from '../../src/proof/saved_graph.js';
import { verify } from '../../src/proof/verify.js';
import { proofText } from '../../src/proof/wording.js';
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
  'global_normalization_op_115',
];

/** Changes a node of a graph; returns whether it could. */
type Break = (graph: Graph, node: Node) => boolean;

/** Ways to break a repair, or a folded graph, at one constant or op. */
const BREAKS: Readonly<Record<string, Break>> = {
  'one channel': (graph, node) =>
    vector(graph, node, (x) => x.map((v, i) => (i === x.length - 1 ? v * 1.5 + 0.25 : v))),
  'off by one channel': (graph, node) => vector(graph, node, shifted),
  'decayed once more': (graph, node) => vector(graph, node, (x) => x.map((v) => v * 0.9)),
  'divided by the sum of decays': (graph, node) => vector(graph, node, (x) => x.map((v) => v / (1 - 0.9 ** 5))),
  'gamma dropped': (graph, node) => vector(graph, node, (x) => x.map(() => 1)),
  'beta dropped': (graph, node) => vector(graph, node, (x) => x.map(() => 0)),
  'variance instead of deviation': (graph, node) => vector(graph, node, (x) => x.map((v) => v * v)),
  'deviation instead of variance': (graph, node) => vector(graph, node, (x) => x.map((v) => Math.sqrt(Math.abs(v)))),
  "without Bessel's correction": (graph, node) => vector(graph, node, (x) => x.map((v) => (v * 15) / 16)),
  epsilon: (graph, node) => epsilon(graph, node, (e) => e * 1000),
  'the decay as epsilon': (graph, node) => epsilon(graph, node, () => 0.9),
  'statistics swapped': (graph, node) => {
    if (!/^FusedBatchNorm/.test(node.op)) return false;
    const [x, scale, offset, mean, variance] = node.inputs;
    graph.setInputs(node, [x!, scale!, offset!, variance!, mean!]);
    return true;
  },
  "a neighbour's value": (graph, node) => {
    const shape = floatShape(node);
    const others = [...graph.nodes()].filter((each) => each !== node && floatShape(each) === shape);
    if (shape === undefined || others.length === 0) return false;
    graph.replaceByConst(node, others[0]!.tensor!);
    return true;
  },
  'an op bypassed': (graph, node) => {
    if (!/^(Relu6?|Mul|Add(V2)?|Sub|BiasAdd)$/.test(node.op)) return false;
    graph.replaceUses({ node: node.name, port: 0 }, node.inputs[0]!);
    return graph.dataConsumers(node.inputs[0]!.node).length > 0;
  },
  'a kernel off by one channel': (graph, node) => kernel(graph, node, shifted),
};

const shifted = (x: Float64Array) => x.map((_, i) => x[(i + 1) % x.length]!);

function floatShape({ op, tensor }: Node): string | undefined {
  return op === 'Const' && tensor!.dtype === 1 ? `${tensor!.shape}` : undefined;
}

function vector(graph: Graph, node: Node, change: (numbers: Float64Array) => Float64Array): boolean {
  return node.tensor?.shape.length === 1 && changed(graph, node, change);
}

function kernel(graph: Graph, node: Node, change: (numbers: Float64Array) => Float64Array): boolean {
  return (node.tensor?.shape.length ?? 0) > 1 && changed(graph, node, change);
}

function changed(graph: Graph, node: Node, change: (numbers: Float64Array) => Float64Array): boolean {
  if (floatShape(node) === undefined) return false;
  const { dtype, shape } = node.tensor!;
  graph.replaceByConst(node, numberTensor(dtype, shape, change(readNumbers(node.tensor!))));
  return true;
}

/** Changes the epsilon of a batch norm: an attr, or a constant that is added to the variance. */
function epsilon(graph: Graph, node: Node, change: (epsilon: number) => number): boolean {
  const own = attrFloat(node, 'epsilon');
  if (own !== undefined) graph.setAttr(node, 'epsilon', attr.float(change(own)));
  if (own !== undefined) return true;
  const [constant] = node.tensor?.shape.length === 0 && floatShape(node) === '' ? readNumbers(node.tensor) : [];
  return constant !== undefined && constant > 0 && constant < 0.1 && changed(graph, node, (x) => x.map(change));
}

const cases = new Map(allCases().map((one) => [one.name, one]));
const counts = { repairs: 0, folds: 0, harmless: 0, named: 0 };

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

const failures = ({ proofs }: VerifyReport) => proofs.filter(({ status }) => status === 'failed');
const failed = (report: VerifyReport) => failures(report).map(({ name }) => name);

/** The names of batch norms that nodes of a graph belong to. */
function partsOf(model: LoadedModel, one: Case, graph: Graph): LayerParts {
  const analysis = analyse(model, one.freeze);
  const saved = savedGraph(analysis);
  return new LayerParts(findLayers(saved, analysis), saved, [graph]);
}

/** Whether a report names the place of a fault: its batch norm or the next one, or the tensor where it begins. */
function isNamedBy(report: VerifyReport, graph: Graph, node: string, parts: LayerParts): boolean {
  const after = descendants(graph, [node], ({ name }) => parts.of(name) === undefined);
  const layers = new Set([...after].flatMap(({ name }) => parts.of(name) ?? []));
  return failures(report).some((proof) => {
    const layer = proof.layer ?? proof.after;
    const tensor = proof.firstDifference ? parseInput(proof.firstDifference.tensor).node : '';
    const text = proofText(proof);
    if (layer !== undefined && layers.has(layer)) return text.includes(layer);
    return proof.layer === undefined && after.hasNamed(tensor) && text.includes(tensor);
  });
}

describe('verify finds what is broken', () => {
  it.each(MODELS)('%s: whatever constant or op is changed', (name) =>
    onModel(name, async (model, one, values) => {
      const { graph, report } = freeze(model, one.freeze);
      const outputs = report.outputs.map((output) => output.name);
      const folded = fold(model, one.freeze).graph;
      const [missed, unnamed]: [string[], string[]] = [[], []];
      for (const [right, field] of [
        [graph, 'fixed'],
        [folded, 'folded'],
      ] as const) {
        const inputs = Object.fromEntries(Object.entries(values).filter(([key]) => right.has(key.replace(/:0$/, ''))));
        const expected = await runGraph(right, inputs, outputs);
        const parts = partsOf(model, one, right);
        for (const [which, [kind, breaks]] of Object.entries(BREAKS).entries()) {
          for (const [i, node] of [...right.nodes()].entries()) {
            // Every other one of those that only change numbers.
            if ((which + i) % 2 === 0 && node.op === 'Const') continue;
            const broken = right.copy();
            if (!breaks(broken, broken.get(node.name))) continue;
            const wrong = await runGraph(broken, inputs, outputs);
            const result = await verify(model, { ...one.freeze, values, [field]: broken });
            if (outputs.every((key) => compare(key, wrong[key]!, expected[key]!, result.tolerance).isWithin)) {
              counts.harmless++;
              continue;
            }
            counts[field === 'fixed' ? 'repairs' : 'folds']++;
            const what = `${field}: ${kind} at ${node.name}`;
            if (result.passed) missed.push(what);
            else if (isNamedBy(result, right, node.name, parts)) counts.named++;
            else unnamed.push(`${what} ${parts.of(node.name)}: ${failures(result).map(proofText).join(' | ')}`);
          }
        }
      }
      expect(missed).toEqual([]);
      expect(unnamed).toEqual([]);
    }),
  );

  it('a dropout that is still active', () =>
    onModel('dropout_rate_115', async (model, one, values) => {
      const { dropouts } = analyse(model, one.freeze);
      const keep = dropouts.map(({ output }) => output);
      const repaired = freeze(model, { ...one.freeze, keep }).graph;
      const report = await verify(model, { ...one.freeze, values, fixed: repaired });
      expect(failed(report)).toEqual(expect.arrayContaining(['substitution', 'statistics']));
      for (const proof of failures(report).filter(({ name }) => name !== 'batch_independence')) {
        expect(keep.map((name) => `${name}:0`)).toContain(proof.rewired!.reads);
        expect(proofText(proof)).toContain(`it reads ${proof.rewired!.reads} instead of ${proof.rewired!.insteadOf}`);
      }
    }));

  it('the branch for training', () =>
    onModel('phase_train_115', async (model, one, values) => {
      const set = { [analyse(model, one.freeze).flags[0]!.node]: true };
      const keep = ['*'];
      const repaired = freeze(model, { ...one.freeze, set, keep }).graph;
      const report = await verify(model, { ...one.freeze, values, fixed: repaired });
      expect(failed(report)).toEqual(expect.arrayContaining(['batch_independence', 'statistics']));
      for (const { layer } of failures(report)) expect(layer).toBe('conv1/bn/batchnorm/Rsqrt');
    }));

  it("a neighbour layer's statistics", () =>
    onModel('slim_fused_115', async (model, one, values) => {
      const repaired = freeze(model, one.freeze).graph.copy();
      const norms = [...repaired.nodes()].filter(({ op }) => op.startsWith('FusedBatchNorm'));
      const [first, second] = [norms[0]!, norms[1]!];
      repaired.setInputs(first, [...first.inputs.slice(0, 3), ...second.inputs.slice(3)]);
      const report = await verify(model, { ...one.freeze, values, fixed: repaired });
      expect(failed(report)).toEqual(['statistics']);
      expect(failures(report)[0]!.layer).toBe(first.name);
    }));

  afterAll(() => {
    expect(counts.repairs).toBeGreaterThanOrEqual(200);
    expect(counts.folds).toBeGreaterThanOrEqual(100);
    expect(counts.named).toBe(counts.repairs + counts.folds);
    if (process.env.BNFIX_COUNTS) console.log(counts);
  });
});
