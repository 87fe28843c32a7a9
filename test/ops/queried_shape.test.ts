import { expect, it } from 'vitest';
import { queriedShape } from '../../src/ops/queried_shape.js';
import type { Shape } from '../../src/ops/shape_rules/rule.js';

const LARGEST = 2 ** 31 - 1;

it.each<[string, Shape, unknown]>([
  ['Shape', [2, 3], { shape: [2], values: [2, 3] }],
  ['ShapeN', [2, -1], { shape: [2], values: [2, Number.NaN] }],
  ['Shape', [], { shape: [0], values: [] }],
  ['Shape', [0], { shape: [1], values: [0] }],
  ['Shape', [LARGEST], { shape: [1], values: [LARGEST] }],
  ['Rank', [-1, 3, 4], { shape: [], values: [3] }],
  ['Size', [2, 3], { shape: [], values: [6] }],
  ['Size', [0, 3], { shape: [], values: [0] }],
  ['Size', [], { shape: [], values: [1] }],
  // What an int32 does not hold, or is not known.
  ['Shape', [LARGEST + 1], undefined],
  ['Size', [2 ** 16, 2 ** 15], undefined],
  ['Size', [LARGEST], { shape: [], values: [LARGEST] }],
  ['Size', [2, -1], undefined],
  ['Rank', undefined, undefined],
  ['VariableShape', [2], undefined],
])('%s of %j', (op, shape, value) => {
  expect(queriedShape({ op }, shape)).toEqual(value);
});
