import { afterAll, describe, expect, it } from 'vitest';
import { analyse } from '../../src/freezing/analyse.js';
import type { Analysis } from '../../src/freezing/analysis.js';
import { fold } from '../../src/freezing/fold.js';
import type { Graph } from '../../src/graph/graph.js';
import { load } from '../../src/load.js';
import { compare } from '../../src/proof/compare.js';
import type { Proof } from '../../src/proof/report.js';
import { savedGraph } from '../../src/proof/saved_graph.js';
import { verify } from '../../src/proof/verify.js';
import { runGraph } from '../../src/run/run.js';
import { allCases, type Case } from '../support/cases.js';
import { type Golden, readGolden } from '../support/golden.js';

const cases = allCases().filter(({ expect: expected }) => typeof expected === 'string');
const PROOFS = ['batch_independence', 'substitution', 'statistics', 'folding'];
const counts = new Map<string, number>();
let compared = 0;
const layers = { compared: 0, computed: 0 };

describe('verify proves each repaired fixture', () => {
  it.each(cases)('$name', async (one) => {
    const model = await load(one.model, one.load);
    try {
      const golden = readGolden(one.golden);
      const folded = fold(model, one.freeze).graph;
      const report = await verify(model, { ...one.freeze, values: golden.inputs, folded });
      expect(report.proofs.map(({ name }) => name)).toEqual(PROOFS);
      expect(report.proofs.filter(({ status }) => status === 'failed')).toEqual([]);
      for (const proof of report.proofs) count(proof);
      layers.compared += report.layers.filter(({ error }) => error).length;
      layers.computed += report.layers.filter(({ expected }) => expected !== undefined).length;
      const analysis = analyse(model, one.freeze);
      if (isSavedAsItRuns(analysis)) await expectBefore(one, savedGraph(analysis), golden);
    } finally {
      model.close();
    }
  });

  afterAll(() => {
    // Most of what is skipped cannot be run by TensorFlow.js: tables of words, sums over replicas, the insides of loops.
    expect(compared).toBeGreaterThan(250);
    // Not computed by the formula: layer and instance norms, which stay as they are, and those with computed parameters.
    expect(layers.compared).toBeGreaterThan(670);
    expect(layers.computed).toBeGreaterThan(650);
    if (process.env.BNFIX_COUNTS) console.log(compared, counts, layers);
  });
});

function count({ name, status, reason }: Proof): void {
  const key = reason ? `${name}: ${reason.code}` : `${name}: ${status}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Whether TensorFlow was run on the very graph that the proofs compare with: without flags to feed, random ops, or other weights. */
function isSavedAsItRuns({ flags, dropouts, plan, options }: Analysis): boolean {
  return (
    !options.ema &&
    flags.length === 0 &&
    dropouts.length === 0 &&
    plan.replacements.every(({ role }) => role !== 'assignment')
  );
}

/** Expects what TensorFlow computed with the model as it was saved, in training mode. */
async function expectBefore(one: Case, saved: Graph, { inputs, before }: Golden): Promise<void> {
  const known = Object.entries(inputs).filter(([name]) => saved.has(name.replace(/:0$/, '')));
  const wanted = Object.keys(before).filter((name) => saved.has(name.replace(/:\d+$/, '')));
  if (wanted.length === 0) return;
  const actual = await runGraph(saved, Object.fromEntries(known), wanted).catch(() => undefined);
  if (!actual) return;
  compared++;
  const tolerance = { atol: one.tolerance, rtol: one.tolerance };
  const wrong = wanted.filter((name) => !compare(name, actual[name]!, before[name]!, tolerance).isWithin);
  expect(wrong).toEqual([]);
}
