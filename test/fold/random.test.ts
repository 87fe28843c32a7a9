import fc from 'fast-check';
import { expect, it } from 'vitest';
import { freeze } from '../../src/freezing/freeze.js';
import { runGraph } from '../../src/run/run.js';
import { numbersOf } from '../../src/run/value.js';
import { modelOf } from '../support/model.js';
import { randomRuns } from '../support/random.js';
import { counted } from '../support/run.js';
import { type Gene, RandomNet } from './random_net.js';
import { folded } from './support.js';

const genes = fc.array(fc.record({ op: fc.nat(999), a: fc.nat(999), b: fc.nat(999) }), { minLength: 2, maxLength: 14 });

/** What random nets found once: c - conv, then Pad and a batch norm, whose plan was made for the convolution as it was. */
const FOUND: readonly [Gene[], number, number, boolean][] = [
  [
    [
      { op: 0, a: 0, b: 0 },
      { op: 0, a: 0, b: 0 },
      { op: 0, a: 0, b: 0 },
      { op: 21, a: 0, b: 546 },
      { op: 848, a: 0, b: 944 },
      { op: 677, a: 1, b: 0 },
      { op: 0, a: 0, b: 545 },
    ],
    0,
    0,
    true,
  ],
];

/** Answers may differ by rounding: that much of the largest number. */
const TOLERANCE = 1e-5;

async function compare(net: RandomNet, outputs: readonly string[], duplicateWeights: boolean) {
  const frozen = freeze(modelOf(net.graph()), { outputs });
  const { graph, bytes, report } = folded(net.graph(), outputs, { duplicateWeights });
  const x = { x: counted([1, 6, 6, 3]) };
  const needed = frozen.graph.has('x') ? x : {};
  const [before, after] = [
    await runGraph(frozen.graph, needed, outputs),
    await runGraph(graph, graph.has('x') ? x : {}, outputs),
  ];
  for (const name of outputs) {
    const [a, b] = [numbersOf(before[name]!), numbersOf(after[name]!)];
    expect(after[name]!.shape).toEqual(before[name]!.shape);
    const scale = a.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
    expect(worst / scale, `${name}: ${JSON.stringify(report.folded)}`).toBeLessThanOrEqual(TOLERANCE);
  }
  expect(folded(graph, outputs, { duplicateWeights }).bytes.equals(bytes), 'folded again, the same').toBe(true);
  expect([...graph.nodes()].filter((node) => node.op.startsWith('FusedBatchNorm'))).toEqual([]);
  return report;
}

it('folded nets output what they did', async () => {
  const actions: Record<string, number> = {};
  const random = randomRuns(150);
  await fc.assert(
    fc.asyncProperty(genes, fc.nat(2 ** 20), fc.nat(999), fc.boolean(), async (list: Gene[], seed, pick, duplicate) => {
      const net = new RandomNet(list, seed);
      const outputs = net.outputs(pick);
      fc.pre(outputs.length > 0);
      const report = await compare(net, outputs, duplicate);
      for (const { action } of report.folded) actions[action] = (actions[action] ?? 0) + 1;
    }),
    {
      seed: Number(process.env.FOLD_SEED ?? random.seed),
      numRuns: Number(process.env.FOLD_RUNS ?? random.numRuns),
      examples: FOUND.map((each) => [...each]),
    },
  );
  if (process.env.FOLD_RUNS) console.log(actions);
  // The nets are such that each way is taken.
  if (random.numRuns < 150) return;
  for (const action of ['previous', 'next', 'arithmetic']) expect(actions[action]).toBeGreaterThan(10);
});
