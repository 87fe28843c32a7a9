import { expect, it } from 'vitest';
import { findStaticValues } from '../../../src/analysis/values/static_values.js';
import { refText } from '../../../src/graph/node.js';
import { readNumbers } from '../../../src/graph/tensor.js';
import { parseGraph } from '../../../src/notation/parse.js';

const X = 'x = Placeholder[shape=[?, 4, 6]]\nz = Placeholder[shape=[2, 3]]\n';

/** What is found, as `name: numbers`. */
const found = (text: string) =>
  findStaticValues(parseGraph(X + text)).map(({ ref, tensor }) => `${refText(ref)}: ${[...readNumbers(tensor)]}`);

it.each([
  ['a whole shape', 'y = Shape(z)', ['y: 2,3']],
  ['its rank', 'y = Rank(x)', ['y: 3']],
  ['its size', 'y = Size(z)', ['y: 6']],
  ['those of several tensors', 'y = ShapeN(z, x, z)[N=3]', ['y: 2,3', 'y:2: 2,3']],
  ['one known size', 's = Shape(x)\ny = StridedSlice(s, [1], [2], [1])[shrink_axis_mask=1]', ['y: 4']],
  ['a product of known sizes', 's = Shape(x)\np = StridedSlice(s, [1], [3], [1])\ny = Prod(p, 0)', ['p: 4,6']],
  [
    'a shape after a reshape by it',
    'a = Reshape(z, Pack(-1, Prod(Shape(z), 0)))\ny = Shape(a)',
    ['a/Shape: 2,3', 'y: 1,6'],
  ],
])('%s', (_, text, values) => {
  expect(found(text)).toEqual(values);
});

it.each([
  ['an unknown size', 's = Shape(x)\ny = StridedSlice(s, [0], [1], [1])[shrink_axis_mask=1]'],
  ['a shape with an unknown size', 'y = Shape(x)'],
  ['an unknown shape', 'y = Shape(u)'],
  ['numbers that are no sizes', 'y = Add([1, 2], [3, 4])'],
  ['floats', 's = Shape(x)\ny = Cast(StridedSlice(s, [0], [1], [1]))[SrcT=int32, DstT=float32]'],
  ['what waits for another op', 'y = Shape(z, ^u)'],
  ['what runs in a branch', 's = Switch(z, c)\ny = Shape(s:1)'],
  ['what runs in a loop', 'e = Enter(z)[frame_name=f]\ny = Shape(e)'],
  ['what is computed with data', 'y = Add(Shape(x), Placeholder[int32, shape=[3]])'],
])('nothing for %s', (_, text) => {
  expect(found(text)).toEqual([]);
});

it('1,024 sizes at most: more are no shape', () => {
  const heights = (count: number) => `y = StridedSlice(Tile(Shape(x), [${count}]), [1], [0], [3])[end_mask=1]`;
  expect(found(heights(1024))).toEqual([`y: ${new Array(1024).fill(4)}`]);
  expect(found(heights(1025))).toEqual([]);
});

it('what leaves all loops, unless the graph has branches', () => {
  const loop =
    'e = Enter(z)[frame_name=f]\nm = Merge(e, n)\ns = Switch(m, LoopCond(c))\nn = NextIteration(s:1)\ny = Shape(Exit(s))';
  expect(found(loop)).toEqual(['y: 2,3']);
  expect(found(`${loop}\nb = Switch(z, d)`)).toEqual([]);
});
