import { expect, it } from 'vitest';
import { findUnitSlices } from '../../../src/analysis/values/unit_slices.js';
import { parseGraph } from '../../../src/notation/parse.js';

const X = 'x = Placeholder[shape=[1, 4, 1]]\n';

it.each([
  ['the first axis', '[0, 0], [1, 0], [1, 1])[shrink_axis_mask=1, begin_mask=2, end_mask=2]', [0]],
  ['the last axis', '[0, 0, 0], [0, 0, 1], [1, 1, 1])[shrink_axis_mask=4, begin_mask=3, end_mask=3]', [2]],
  ['counted from the end', '[-1], [0], [1])[shrink_axis_mask=1]', [0]],
  ['both', '[0, 0, 0], [1, 0, 1], [1, 1, 1])[shrink_axis_mask=5, begin_mask=2, end_mask=2]', [0, 2]],
  ['one, whatever its step', '[0, 0], [1, 0], [2, 1])[shrink_axis_mask=1, begin_mask=2, end_mask=2]', [0]],
])('a slice is equivalent to a Squeeze of %s', (_, slice, axes) => {
  expect(findUnitSlices(parseGraph(`${X}y = StridedSlice(x, ${slice}`))).toEqual([{ node: 'y', axes }]);
});

it.each([
  [
    'takes one entry of several',
    'StridedSlice(x, [0, 2], [0, 3], [1, 1])[shrink_axis_mask=2, begin_mask=1, end_mask=1]',
  ],
  ['begins later', 'StridedSlice(x, [0, 1], [1, 0], [1, 1])[shrink_axis_mask=1, end_mask=2]'],
  ['ends earlier', 'StridedSlice(x, [0, 0], [1, 3], [1, 1])[shrink_axis_mask=1, begin_mask=2]'],
  ['leaves entries out', 'StridedSlice(x, [0, 0], [1, 0], [1, 2])[shrink_axis_mask=1, begin_mask=2, end_mask=2]'],
  ['reverses an axis', 'StridedSlice(x, [0, 0], [1, 0], [1, -1])[shrink_axis_mask=1, begin_mask=2, end_mask=2]'],
  [
    'adds an axis',
    'StridedSlice(x, [0, 0], [1, 0], [1, 1])[shrink_axis_mask=1, new_axis_mask=2, begin_mask=2, end_mask=2]',
  ],
  [
    'counts axes behind an ellipsis',
    'StridedSlice(Placeholder[shape=[4, 1, 3]], [0, 0], [0, 1], [1, 1])[ellipsis_mask=1, shrink_axis_mask=2, begin_mask=1, end_mask=1]',
  ],
  ['removes no axis', 'StridedSlice(x, [0], [0], [1])[begin_mask=1, end_mask=1]'],
  ['has a computed beginning', 'StridedSlice(x, Placeholder[int32, shape=[1]], [1], [1])[shrink_axis_mask=1]'],
  ['has computed steps', 'StridedSlice(x, [0], [1], Placeholder[int32, shape=[1]])[shrink_axis_mask=1]'],
  ['is of an unknown shape', 'StridedSlice(u, [0], [1], [1])[shrink_axis_mask=1]'],
  ['is of an unknown size', 'StridedSlice(Placeholder[shape=[?]], [0], [1], [1])[shrink_axis_mask=1]'],
  ['is of a shape', 'StridedSlice(Shape(Placeholder[shape=[5]]), [0], [1], [1])[shrink_axis_mask=1]'],
  ['is another op', 'Slice(x, [0, 0, 0], [1, 4, 1])'],
])('it is not if it %s', (_, op) => {
  expect(findUnitSlices(parseGraph(`${X}y = ${op}`))).toEqual([]);
});
