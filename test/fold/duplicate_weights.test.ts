import { describe, expect, it } from 'vitest';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import type { Graph } from '../../src/graph/graph.js';
import type { NodeSpec } from '../../src/graph/node.js';
import { runGraph } from '../../src/run/run.js';
import { constant, graphOf, ints, node, placeholder, T_FLOAT } from '../support/build.js';
import { difference } from '../support/compare.js';
import { counted, counting } from '../support/run.js';
import { folded } from './support.js';

const CONV = { ...T_FLOAT, strides: ints(1, 1, 1, 1), padding: attr.string('VALID') };
const NORM = { ...T_FLOAT, is_training: attr.bool(false), epsilon: attr.float(0.0625) };

const conv = (name: string, x: string, kernel = 'w') => node(name, 'Conv2D', [x, kernel], CONV);
const kernel = constant('w', counting([1, 1, 2, 2]), [1, 1, 2, 2]);

/** A batch norm of two channels, and its parameters. */
function norm(name: string, x: string, gamma: readonly number[]): NodeSpec[] {
  const [g, beta, mean, variance] = ['gamma', 'beta', 'mean', 'variance'].map((part) => `${name}/${part}`) as string[];
  return [
    constant(g!, gamma),
    constant(beta!, [1, -1]),
    constant(mean!, [0.5, 1]),
    constant(variance!, [1, 4]),
    node(name, 'FusedBatchNorm', [x, g!, beta!, mean!, variance!], NORM),
  ];
}

const padded = (x: string): NodeSpec[] => [
  constant('margins', [0, 0, 1, 1, 1, 1, 0, 0], [4, 2], DataType.DT_INT32),
  node('pad', 'Pad', [x, 'margins'], { ...T_FLOAT, Tpaddings: attr.type(DataType.DT_INT32) }),
];

const x = placeholder('x', DataType.DT_FLOAT, [1, 2, 2, 2]);

/** Folds a graph, and expects it to output what it did. @returns the ops left that compute, by name */
async function foldedOps(graph: Graph, outputs: readonly string[], duplicateWeights: boolean) {
  const feeds = { x: counted([1, 2, 2, 2]) };
  const before = await runGraph(graph, feeds, outputs);
  const { graph: after } = folded(graph, outputs, { duplicateWeights });
  const values = await runGraph(after, feeds, outputs);
  for (const name of outputs) expect(difference(values[name]!, before[name]!), name).toBeLessThanOrEqual(1e-6);
  return [...after.nodes()].filter(({ op }) => op !== 'Const').map(({ name, op }) => `${name}: ${op}`);
}

describe.each([false, true])('duplicateWeights: %s', (duplicateWeights) => {
  it('two scales behind one convolution fold one after the other: c - conv, Pad, batch norm', async () => {
    const graph = graphOf([
      x,
      kernel,
      conv('conv', 'x'),
      constant('c', [3, 4]),
      node('difference', 'Sub', ['c', 'conv'], T_FLOAT),
      ...padded('difference'),
      ...norm('bn', 'pad', [2, 3]),
    ]);
    const ops = await foldedOps(graph, ['bn'], duplicateWeights);
    expect(ops).toEqual(['x: Placeholder', 'conv: Conv2D', 'difference: BiasAdd', 'pad: Pad', 'bn: BiasAdd']);
  });

  it('products with constants before convolutions that share a kernel', async () => {
    const graph = graphOf([
      x,
      kernel,
      constant('two', [2, 4]),
      constant('five', [5, 3]),
      node('a', 'Mul', ['x', 'two'], T_FLOAT),
      node('b', 'Mul', ['five', 'x'], T_FLOAT),
      conv('conv_a', 'a'),
      conv('conv_b', 'b'),
      node('y', 'AddV2', ['conv_a', 'conv_b'], T_FLOAT),
    ]);
    const ops = await foldedOps(graph, ['y'], duplicateWeights);
    expect(ops.filter((op) => op.endsWith('Mul'))).toHaveLength(duplicateWeights ? 0 : 2);
  });

  it('a kernel shared by convolutions with batch norms of their own', async () => {
    const graph = graphOf([
      x,
      kernel,
      conv('a', 'x'),
      ...norm('bn_a', 'a', [2, 3]),
      conv('b', 'bn_a'),
      ...norm('bn_b', 'b', [-1, 2]),
    ]);
    const ops = await foldedOps(graph, ['bn_b'], duplicateWeights);
    expect(ops.filter((op) => op.endsWith('Mul'))).toHaveLength(duplicateWeights ? 0 : 2);
  });
});
