import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { analyse } from '../../src/freezing/analyse.js';
import { fold } from '../../src/freezing/fold.js';
import { freeze } from '../../src/freezing/freeze.js';
import type { Graph } from '../../src/graph/graph.js';
import { tensorName } from '../../src/graph/node.js';
import { numberTensor, readNumbers } from '../../src/graph/tensor.js';
import { load } from '../../src/load.js';
import type { LoadedModel } from '../../src/load_sources.js';
import type { Comparison } from '../../src/proof/compare.js';
import type { ProofName, VerifyReport } from '../../src/proof/report.js';
import { savedGraph } from '../../src/proof/saved_graph.js';
import { Substitutions } from '../../src/proof/substitution.js';
import { verify } from '../../src/proof/verify.js';
import { runGraph } from '../../src/run/run.js';
import { numbersOf } from '../../src/run/value.js';
import { allCases, type Case } from '../support/cases.js';
import { readGolden, type Tensors, tensorsOf } from '../support/golden.js';

/** What scripts/verify/proofs.py computed with TensorFlow; differences are one number for each output. */
interface Golden {
  readonly inputs?: Parameters<typeof tensorsOf>[0];
  /** Null where training draws random numbers. */
  readonly alone: readonly number[] | null;
  readonly alone_in_training?: readonly number[];
  readonly sites: readonly {
    readonly name: string;
    readonly batch: { readonly mean: readonly number[]; readonly variance: readonly number[] };
    readonly x: number;
    readonly before: number;
    readonly formula: number;
    readonly largest: number;
  }[];
  readonly changes: {
    readonly node: string;
    readonly statistics: readonly number[];
    readonly substitution?: readonly number[];
  };
  readonly folding: { readonly node?: string; readonly changed?: readonly number[] };
}

const FOLDER = fileURLToPath(new URL('goldens', import.meta.url));
const cases = new Map(allCases().map((one) => [one.name, one]));
const GOLDENS = readdirSync(FOLDER)
  .map((file) => file.replace('.json', ''))
  .filter((name) => cases.has(name))
  .map((name) => ({ name, golden: JSON.parse(readFileSync(`${FOLDER}/${name}.json`, 'utf8')) as Golden }));

/** How far numbers of float32 graphs differ between TensorFlow and TensorFlow.js, relative to the larger of 1 and the number. */
const PRECISION = 5e-6;

interface Loaded {
  readonly model: LoadedModel;
  readonly one: Case;
  readonly values: Tensors;
}

async function on(name: string, golden: Golden, test: (loaded: Loaded) => Promise<void>): Promise<void> {
  const one = cases.get(name)!;
  const model = await load(one.model, one.load);
  try {
    await test({ model, one, values: golden.inputs ? tensorsOf(golden.inputs) : readGolden(one.golden).inputs });
  } finally {
    model.close();
  }
}

function expectNear(actual: readonly number[], wanted: readonly number[], precision = PRECISION): void {
  expect(actual).toHaveLength(wanted.length);
  for (const [i, number] of wanted.entries()) {
    expect(Math.abs(actual[i]! - number)).toBeLessThan(precision * Math.max(1, Math.abs(number)));
  }
}

const errors = (comparisons: readonly Comparison[]) => comparisons.map(({ maxError }) => maxError);
const proofOf = ({ proofs }: VerifyReport, name: ProofName) => proofs.find((proof) => proof.name === name)!;

/** A copy of a graph with the first element of a constant changed as proofs.py changes it; undefined if it has no such constant. */
function changed(right: Graph, name: string): Graph | undefined {
  const graph = right.copy();
  const node = graph.find(name);
  if (!node?.tensor) return undefined;
  const { dtype, shape } = node.tensor;
  const numbers = readNumbers(node.tensor).map((number, i) => (i === 0 ? Math.fround(number * 1.5 + 0.25) : number));
  graph.replaceByConst(node, numberTensor(dtype, shape, numbers));
  return graph;
}

describe.each(GOLDENS)('$name: verify says what TensorFlow says', ({ name, golden }) => {
  // Rounding decides between two steps of a quantised number.
  const precision = name.startsWith('quantize') ? 5e-4 : PRECISION;

  it('of an example alone, and of the first element of each batch norm', () =>
    on(name, golden, async ({ model, one, values }) => {
      const report = await verify(model, { ...one.freeze, values });
      expect(report.passed).toBe(true);
      const independence = proofOf(report, 'batch_independence');
      const alone = golden.alone_in_training ?? golden.alone;
      if (alone) expectNear(errors(independence.saved), alone, precision);
      expect(Math.max(...errors(independence.outputs))).toBeLessThan(precision);
      for (const { name: layer, x, before, formula } of golden.sites) {
        const own = report.layers.find((each) => each.name === layer)!;
        expectNear([own.x!, own.before!, own.after!, own.expected!], [x, before, formula, formula]);
      }
    }));

  it('of batch statistics', () =>
    on(name, golden, async ({ model, one, values }) => {
      const analysis = analyse(model, one.freeze);
      const saved = savedGraph(analysis);
      const replaced = analysis.plan.replacements.map(({ tensor }) => tensor);
      const { tensors } = new Substitutions(saved, freeze(model, one.freeze).graph, analysis.outputs.refs, replaced);
      const found =
        golden.sites.length === 0 ? {} : await runGraph(saved, values, [...tensors, ...replaced].map(tensorName));
      const vectors = Object.values(found).map((value) => [...numbersOf(value)]);
      const isNear = (wanted: readonly number[]) => (vector: readonly number[]) =>
        vector.length === wanted.length &&
        vector.every((x, i) => Math.abs(x - wanted[i]!) <= PRECISION * Math.max(1, Math.abs(x)));
      for (const { batch } of golden.sites) {
        expect(vectors.some(isNear(batch.mean))).toBe(true);
        expect(vectors.some(isNear(batch.variance))).toBe(true);
      }
    }));

  it('of a repaired graph with one number changed', () =>
    on(name, golden, async ({ model, one, values }) => {
      const { node, statistics, substitution } = golden.changes;
      const fixed = changed(freeze(model, one.freeze).graph, node)!;
      const report = await verify(model, { ...one.freeze, values, fixed });
      expectNear(errors(proofOf(report, 'statistics').outputs), statistics);
      const substituted = proofOf(report, 'substitution');
      if (substitution && substituted.status !== 'skipped') expectNear(errors(substituted.outputs), substitution);
    }));

  it.runIf(golden.folding.node)('of a folded graph, and of one with one number changed', () =>
    on(name, golden, async ({ model, one, values }) => {
      const { graph } = fold(model, one.freeze);
      const right = await verify(model, { ...one.freeze, values, folded: graph });
      expect(Math.max(...errors(proofOf(right, 'folding').outputs))).toBeLessThan(precision);
      const wrong = await verify(model, { ...one.freeze, values, folded: changed(graph, golden.folding.node!)! });
      expectNear(errors(proofOf(wrong, 'folding').outputs), golden.folding.changed!);
    }),
  );
});
