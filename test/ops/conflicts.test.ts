import { expect, it } from 'vitest';
import { Shapes } from '../../src/analysis/values/shapes.js';
import { parseGraph } from '../../src/notation/parse.js';

// What is refused is compared with TensorFlow in shapes_of_tensorflow.test.ts.

const HEAD = `x = Placeholder[shape=[?, 4, 6, 3]]
m = Placeholder[shape=[2, 3]]
n = Placeholder[shape=[4, 5]]
v = Placeholder[shape=[?, 2, 4, 4, 4]]
`;
const conflictOf = (op: string) => {
  const graph = parseGraph(`${HEAD}y = ${op}`);
  return new Shapes(graph).conflict(graph.get('y'));
};

const X = [-1, 4, 6, 3];

it.each<[what: string, op: string, shapes: unknown]>([
  [
    'the inputs',
    'MatMul(m, n)',
    [
      [2, 3],
      [4, 5],
    ],
  ],
  ['unknown ones too', 'AddN(m, u, n)', [[2, 3], undefined, [4, 5]]],
  ['the window of a pool', 'MaxPool(x)[ksize=[1, 5, 2, 1], strides=[1, 1, 1, 1], padding=VALID]', [X, [1, 5, 2, 1]]],
  [
    'the size that a transposed convolution is given',
    'Conv2DBackpropInput([2, 8, 8, 7], float32[3, 3, 7, 5] #0, x)[strides=[1, 2, 2, 1], padding=SAME]',
    [[2, 8, 8, 7], [3, 3, 7, 5], X],
  ],
  [
    'or the number of its steps',
    'Conv2DBackpropInput([2, 9, 12, 7], float32[3, 3, 7, 3] #0, x)[strides=[1, 2, 2, 1], padding=SAME]',
    [[2, 9, 12, 7], [3, 3, 7, 3], X],
  ],
  [
    'the target of a Reshape',
    'Reshape(m, [4, 2])',
    [
      [2, 3],
      [4, 2],
    ],
  ],
  [
    'the two parts of a Concat that differ',
    'ConcatV2(m, Placeholder[shape=[?, 5]], n, u, 1)',
    [
      [2, 3],
      [4, 5],
    ],
  ],
  [
    'the order of a Transpose',
    'Transpose(m, [1, 0, 2])',
    [
      [2, 3],
      [1, 0, 2],
    ],
  ],
  [
    'the sizes of parts',
    'SplitV(m, [1, 1], 1)[num_split=2]',
    [
      [2, 3],
      [1, 1],
    ],
  ],
  [
    'begin and size',
    'Slice(m, [1, 1], [1, 3])',
    [
      [2, 3],
      [1, 1],
      [1, 3],
    ],
  ],
  ['an index', 'StridedSlice(m, [2], [3], [1])[shrink_axis_mask=1]', [[2, 3], [2]]],
  [
    'more indices than dimensions',
    'StridedSlice(m, [0, 0, 0], [1, 1, 1], [1, 1, 1])',
    [
      [2, 3],
      [0, 0, 0],
    ],
  ],
  [
    'the declared shape',
    'PlaceholderWithDefault(m)[shape=[?, 4]]',
    [
      [2, 3],
      [-1, 4],
    ],
  ],
])('a conflict has %s', (_, op, shapes) => {
  expect(conflictOf(op)).toEqual(shapes);
});

it.each([
  ['another op', 'MyOp(m, n)'],
  ['channels in parts', 'BiasAdd(v, [1.0])[data_format=NCHW_VECT_C]'],
  ['a convolution of them', 'Conv2D(v, m)[data_format=NCHW_VECT_C, strides=[1, 1, 1, 1], padding=VALID]'],
  ['a pool of them', 'MaxPool(v)[data_format=NCHW_VECT_C, ksize=[1, 9, 9, 1], strides=[1, 1, 1, 1], padding=VALID]'],
  ['blocks of them', 'DepthToSpace(v)[data_format=NCHW_VECT_C, block_size=3]'],
  ['a window over channels', 'MaxPool(x)[ksize=[1, 1, 1, 9], strides=[1, 1, 1, 1], padding=VALID]'],
  ['shapes that Equal compares to false', 'Equal(m, n)[incompatible_shape_error=false]'],
  ['statistics that training does not use', 'FusedBatchNorm(x, a, b, [1.0], [1.0])[is_training=true]'],
  ['an index that a mask hides', 'StridedSlice(m, [2], [3], [1])[shrink_axis_mask=1, begin_mask=1]'],
  ['an index behind an ellipsis', 'StridedSlice(m, [0, 2], [0, 3], [1, 1])[ellipsis_mask=1, shrink_axis_mask=2]'],
  ['an index behind a new axis', 'StridedSlice(m, [0, 1], [0, 2], [1, 1])[new_axis_mask=1, shrink_axis_mask=2]'],
  ['a Split along an unknown axis', 'Split(Placeholder[int32, shape=[]], m)[num_split=5]'],
])('none is known for %s', (_, op) => {
  expect(conflictOf(op)).toBeUndefined();
});
