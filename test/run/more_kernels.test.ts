import { describe, expect, test } from 'vitest';
import { type AttrMap, attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { runGraph } from '../../src/run/run.js';
import { constant, graphOf, node, T_FLOAT } from '../support/build.js';
import { answer, counting, rounded } from '../support/run.js';

// Expected numbers are what TensorFlow 2.12.1 answers on a CPU.

const INT = { T: attr.type(DataType.DT_INT32) };
const int32 = (name: string, numbers: readonly number[], shape?: readonly number[]) =>
  constant(name, numbers, shape, DataType.DT_INT32);

describe('own kernels', () => {
  const values = constant('v', [-7, -0.2, 0.04, 0.51, 1.3, 9], [3, 2]);
  const fakeQuants: [op: string, attrs: AttrMap, range: number[][], expected: number[]][] = [
    [
      'FakeQuantWithMinMaxArgs',
      { min: attr.float(-1), max: attr.float(2), num_bits: attr.int(4) },
      [],
      [-1, -0.2, 0, 0.6, 1.4, 2],
    ],
    [
      'FakeQuantWithMinMaxVars',
      { narrow_range: attr.bool(true) },
      [[-1.03], [2.1]],
      [-1.03512, -0.19717, 0.03697, 0.50524, 1.2939, 2.09488],
    ],
    [
      'FakeQuantWithMinMaxVarsPerChannel',
      { num_bits: attr.int(3) },
      [
        [-1, 0],
        [2, 6],
      ],
      [-0.85714, 0, 0, 0.85714, 1.28571, 6],
    ],
  ];

  test.each(fakeQuants)('%s moves the range to hold zero', async (op, attrs, range, expected) => {
    const bounds = range.map((numbers, i) => constant(`bound${i}`, numbers, numbers.length === 1 ? [] : undefined));
    const inputs = ['v', ...bounds.map(({ name }) => name)];
    expect(await answer(graphOf([values, ...bounds, node('y', op, inputs, attrs)]), {}, 'y')).toEqual(expected);
  });

  test('element by element', async () => {
    const graph = graphOf([
      constant('x', [-1.5, -0.5, 0.5, 1.5, 2.4]),
      node('rint', 'Rint', ['x'], T_FLOAT),
      constant('z', [-3, 1]),
      node('softsign', 'Softsign', ['z'], T_FLOAT),
      node('inv', 'Inv', ['z'], T_FLOAT),
      node('l2', 'L2Loss', ['z'], T_FLOAT),
      int32('a', [-7, 7, -8]),
      int32('b', [2, -2, 3]),
      node('div', 'TruncateDiv', ['a', 'b'], INT),
      node('mod', 'TruncateMod', ['a', 'b'], INT),
      node('checked', 'CheckNumerics', ['z'], T_FLOAT),
    ]);
    const answers = await runGraph(graph, {}, ['rint', 'softsign', 'inv', 'l2', 'div', 'mod', 'checked']);
    expect(Object.values(answers).map(rounded)).toEqual([
      [-2, 0, 0, 2, 2],
      [-0.75, 0.5],
      [-0.33333, 1],
      [5],
      [-3, -3, -2],
      [-1, 1, -2],
      [-3, 1],
    ]);
  });

  test('a vector as the condition of Select picks rows; SelectV2 spreads it over columns', async () => {
    const parts = [
      constant('flags', [1, 0], [2], DataType.DT_BOOL),
      constant('x', counting([2, 2]), [2, 2]),
      node('minus', 'Neg', ['x'], T_FLOAT),
    ];
    const of = (op: string) => graphOf([...parts, node('y', op, ['flags', 'x', 'minus'], T_FLOAT)]);
    expect(await answer(of('Select'), {}, 'y')).toEqual([-4, 3.0625, 0.875, -6.1875]);
    expect(await answer(of('SelectV2'), {}, 'y')).toEqual([-4, -3.0625, -0.875, -6.1875]);
  });

  test('DynamicPartition, also a part without rows', async () => {
    const graph = graphOf([
      constant('x', counting([4, 2]), [4, 2]),
      int32('parts', [1, 0, 1, 2]),
      node('p', 'DynamicPartition', ['x', 'parts'], { ...T_FLOAT, num_partitions: attr.int(4) }),
    ]);
    const answers = await runGraph(graph, {}, ['p', 'p:1', 'p:2', 'p:3']);
    expect(Object.values(answers).map(rounded)).toEqual([
      [-0.875, 6.1875],
      [-4, 3.0625, 2.25, -1.6875],
      [5.375, 1.4375],
      [],
    ]);
    expect(answers['p:3']!.shape).toEqual([0, 2]);
  });

  test.each(['DynamicStitch', 'ParallelDynamicStitch'])('%s: the last of several rows counts', async (op) => {
    const graph = graphOf([
      int32('i0', [2, 0]),
      int32('i1', [1, 2]),
      constant('x0', counting([2, 2]), [2, 2]),
      constant(
        'x1',
        counting([2, 2]).map((x) => x + 10),
        [2, 2],
      ),
      node('y', op, ['i0', 'i1', 'x0', 'x1'], { ...T_FLOAT, N: attr.int(2) }),
    ]);
    expect(await answer(graph, {}, 'y')).toEqual([-0.875, 6.1875, 6, 13.0625, 9.125, 16.1875]);
  });

  test('InvertPermutation', async () => {
    const graph = graphOf([int32('x', [2, 0, 3, 1]), node('y', 'InvertPermutation', ['x'], INT)]);
    expect(await answer(graph, {}, 'y')).toEqual([1, 3, 0, 2]);
  });
});
