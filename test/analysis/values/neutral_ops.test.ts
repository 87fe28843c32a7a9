import { expect, it } from 'vitest';
import { findNeutralOps } from '../../../src/analysis/values/neutral_ops.js';
import { parseGraph } from '../../../src/notation/parse.js';

const X = 'x = Placeholder[shape=[?, 2, 3]]\nn = Placeholder[int32, shape=[2]]\n';
const found = (op: string, isKept = () => false) => findNeutralOps(parseGraph(`${X}y = ${op}`), isKept);

it.each([
  ['x * 1.0', 0],
  ['1.0 * x', 1],
  ['x / 1.0', 0],
  ['x + 0.0', 0],
  ['Add([0.0, 0.0, 0.0], x)', 1],
  ['x - [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]', 0],
  ['x * [[1.0], [1.0]]', 0],
  ['x * [[[1.0]]]', 0],
  ['u * 1.0', 0],
])('%s is its input %d', (op, input) => {
  expect(found(op)).toEqual([{ node: 'y', input }]);
  expect(found(op, () => true)).toEqual([]);
});

it.each([
  'x * 2.0',
  'x * 0.0',
  'x * [1.0, 1.0, 2.0]',
  'x + 1.0',
  '0.0 - x',
  '1.0 / x',
  'x / 0.0',
  'Maximum(x, 0.0)',
  'AddN(x, [[0.0]], [[0.0]])',
  '[1.0, 1.0] * 1.0',
  // It would have more elements, or more dimensions.
  'Placeholder[shape=[?, 1]] * [1.0, 1.0]',
  'Placeholder[shape=[2]] * [[1.0]]',
  'Placeholder[shape=[?]] * [1.0, 1.0]',
  'u * [1.0]',
  // Sizes are left alone.
  'n * 1',
])('%s is not', (op) => {
  expect(found(op)).toEqual([]);
});
