import { expect, it } from 'vitest';
import { replicasOf } from '../../../src/analysis/values/replicas.js';
import { parseGraph } from '../../../src/notation/parse.js';

it.each([
  ['divided by their number', 'y = s / 8.0', 8],
  ['multiplied by its reciprocal', 'y = s * 0.125', 8],
  ['by one that is rounded', 'y = s * 0.333333', 3],
  ['the other way round', 'y = 0.5 * s', 2],
  [
    'after a cast and a reshape',
    'y = Reshape(Cast(Identity(s))[SrcT=float32, DstT=float64], [-1]) / Const[float64, value=4]',
    4,
  ],
  ['after a split', 'p = Split(0, s)[num_split=2]\ny = p:1 / 4.0', 4],
  ['not divided', 'y = Relu(s)', 1],
  ['divided by a fraction', 'y = s / 2.5', 1],
  ['divided by one', 'y = s / 1.0', 1],
  ['multiplied by zero', 'y = s * 0.0', 1],
  ['multiplied by a whole number', 'y = s * 4.0', 1],
  ['divided by a tensor', 'y = s / x', 1],
  ['as a divisor', 'y = 8.0 / s', 1],
  ['divided after another op', 'y = Relu(s) / 8.0', 1],
  ['added to a number', 'y = s + 8.0', 1],
])('a sum over replicas, %s', (_, text, count) => {
  const graph = parseGraph(`s = CollectiveReduce(x)\n${text}`);
  expect(replicasOf(graph, graph.get('s'))).toBe(count);
});
