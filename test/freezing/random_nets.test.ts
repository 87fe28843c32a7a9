import fc from 'fast-check';
import { expect, it } from 'vitest';
import { freeze } from '../../src/freezing/freeze.js';
import type { Graph } from '../../src/graph/graph.js';
import { runGraph } from '../../src/run/run.js';
import { tensorValue } from '../../src/run/value.js';
import { difference } from '../support/compare.js';
import { leftovers } from '../support/frozen.js';
import { CHOICES, type Layer, modelOfNet, type Net, noise, SIZE } from '../support/nets.js';
import { randomRuns } from '../support/random.js';

const layers: fc.Arbitrary<Layer> = fc.record({
  form: fc.constantFrom(...CHOICES.form),
  variables: fc.constantFrom(...CHOICES.variables),
  update: fc.constantFrom(...CHOICES.update),
  gamma: fc.boolean(),
  dropout: fc.constantFrom(...CHOICES.dropout),
  channels: fc.integer({ min: 1, max: 3 }),
});

const nets: fc.Arbitrary<Net> = fc.record({
  layers: fc.array(layers, { minLength: 1, maxLength: 3 }),
  flag: fc.constantFrom(...CHOICES.flag),
  towers: fc.constantFrom<(1 | 2)[]>(1, 2),
  seed: fc.nat(1000),
});

/** Nodes that choose between training and inference: these nets have no others. */
function switches(graph: Graph): string[] {
  return [...graph.nodes()].filter(({ op }) => /^(Switch|Merge|Select)/.test(op)).map(({ name }) => name);
}

it('freezes a training graph to what its inference graph outputs, however it is written', async () => {
  const count = 2 * SIZE * SIZE * 2;
  await fc.assert(
    fc.asyncProperty(nets, async (net) => {
      const x = tensorValue(
        'float32',
        [2, SIZE, SIZE, 2],
        noise(`${net.seed}/x`, count).map((value) => value * 3 + 1),
      );
      const [frozen, truth] = (['training', 'inference'] as const).map(
        (mode) => freeze(modelOfNet(net, mode), { outputs: ['out'] }).graph,
      );
      expect([...leftovers(frozen!), ...switches(frozen!)]).toEqual([]);
      const [actual, expected] = await Promise.all([frozen!, truth!].map((graph) => runGraph(graph, { x }, ['out'])));
      expect(difference(actual!.out!, expected!.out!)).toBeLessThan(1e-4);
    }),
    randomRuns(150),
  );
});
