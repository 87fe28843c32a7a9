import { describe, expect, it } from 'vitest';
import { Shapes } from '../../../src/analysis/values/shapes.js';
import { parseGraph } from '../../../src/notation/parse.js';

/** The shape of `y`, as `[?,4]`; `?` for an unknown rank. */
function shapeOf(text: string, port = 0): string {
  const shape = new Shapes(parseGraph(text)).of({ node: 'y', port });
  return shape ? `[${shape.map((size) => (size < 0 ? '?' : size))}]` : '?';
}

const X = 'x = Placeholder[shape=[?, 8, 6, 3]]\nu = Placeholder()\nm = Placeholder[shape=[?, 5]]\n';

describe('Shapes', () => {
  it.each([
    ['y = Relu(x)', '[?,8,6,3]'],
    ['y = AddV2(x, [1.0, 2.0, 3.0])', '[?,8,6,3]'],
    ['y = AddV2(x, u)', '?'],
    ['y = AddN(u, x)', '[?,8,6,3]'],
    ['y = Mean(x, [1, 2])', '[?,3]'],
    ['y = Mean(x, [-1])[keep_dims=true]', '[?,8,6,1]'],
    ['y = Any(x, [0])', '[8,6,3]'],
    ['y = Conv2D(x, float32[3, 3, 3, 7] #0)[strides=[1, 2, 2, 1], padding=SAME]', '[?,4,3,7]'],
    ['y = Conv2D(x, float32[3, 3, 3, 7] #0)[strides=[1, 1, 1, 1], padding=VALID, dilations=[1, 2, 2, 1]]', '[?,4,2,7]'],
    ['y = Conv2D(x, u)[strides=[1, 1, 1, 1], padding=SAME]', '[?,?,?,?]'],
    ['y = DepthwiseConv2dNative(x, float32[3, 3, 3, 2] #0)[strides=[1, 1, 1, 1], padding=SAME]', '[?,8,6,6]'],
    ['y = MaxPool(x)[ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding=VALID]', '[?,4,3,3]'],
    ['y = MaxPoolV2(x, [1, 2, 2, 1], [1, 2, 2, 1])[padding=VALID]', '[?,4,3,3]'],
    // A window over channels: left out.
    ['y = MaxPool(x)[ksize=[1, 1, 1, 3], strides=[1, 1, 1, 3], padding=VALID]', '?'],
    ['y = MatMul(m, float32[5, 7] #0)', '[?,7]'],
    ['y = BatchMatMulV3(u, x)', '?'],
    ['y = Reshape(x, [2, -1])', '[2,?]'],
    ['y = Reshape(Mean(x, [0]), [2, -1])', '[2,72]'],
    ['y = Squeeze(m)', '?'],
    ['y = ExpandDims(m, -1)', '[?,5,1]'],
    ['y = ExpandDims(m, 7)', '?'],
    ['y = Transpose(x, [0, 3, 1, 2])', '[?,3,8,6]'],
    ['y = Pad(m, [[0, 0], [1, 2]])', '[?,8]'],
    ['y = ConcatV2(m, m, 1)', '[?,10]'],
    ['y = Concat(1, m, m)', '[?,10]'],
    ['y = ConcatV2(m, u, 1)', '[?,?]'],
    ['y = Pack(m, m)[axis=1]', '[?,2,5]'],
    ['y = Tile(m, [1, 3])', '[?,15]'],
    ['y = Gather(m, [1, 2])', '[2,5]'],
    ['y = GatherV2(x, [[0, 1]], 2)', '[?,8,1,2,3]'],
    ['y = GatherV2(x, [0, 1], u)', '?'],
    ['y = GatherNd(x, [[0, 1], [0, 2]])', '[2,6,3]'],
    ['y = Slice(m, [0, 1], [-1, 3])', '[?,3]'],
    ['y = Slice(m, [0, 1], [-1, -1])', '[?,4]'],
    ['y = StridedSlice(x, [0, 1], [0, 7], [1, 2])[begin_mask=1, end_mask=1]', '[?,3,6,3]'],
    ['y = StridedSlice(x, [0, -1], [0, 0], [1, 1])[ellipsis_mask=1, shrink_axis_mask=2]', '[?,8,6]'],
    ['y = StridedSlice(m, [0, 0], [0, 0], [1, 1])[begin_mask=1, end_mask=1, new_axis_mask=2]', '[?,1,5]'],
    ['y = StridedSlice(m, [0, 0], [0, 0], [1, -1])[begin_mask=3, end_mask=3]', '[?,5]'],
    ['y = StridedSlice(m, [0, -2], [0, -9], [1, -1])[begin_mask=1, end_mask=1]', '[?,4]'],
    ['y = StridedSlice(x, Shape(u), Shape(u), Shape(u))', '?'],
    ['y = Split(1, m)[num_split=5]', '[?,1]'],
    ['y = SplitV(m, [2, 3], 1)[num_split=2]', '[?,2]'],
    ['y = SplitV(m, [-1, 3], 1)[num_split=2]', '[?,2]'],
    ['y = Unpack(x)[axis=1, num=8]', '[?,6,3]'],
    ['y = ResizeBilinear(x, [16, 12])', '[?,16,12,3]'],
    ['y = DepthToSpace(Placeholder[shape=[?, 2, 2, 8]])[block_size=2]', '[?,4,4,2]'],
    ['y = SpaceToDepth(x)[block_size=2]', '[?,4,3,12]'],
    ['y = SpaceToBatchND(x, [2, 2], [[0, 0], [1, 1]])', '[?,4,4,3]'],
    ['y = BatchToSpaceND(x, [2, 2], [[0, 0], [1, 1]])', '[?,16,10,3]'],
    ['y = Fill([2, 3], 0.0)', '[2,3]'],
    ['y = Fill(Mul(Shape(u), 2), 0.0)', '?'],
    ['y = Fill(Mul(Shape(x), 2), 0.0)', '[?,?,?,?]'],
    ['y = BroadcastTo(m, [4, 5])', '[4,5]'],
    ['y = Range(0, 5, 1)', '[5]'],
    ['y = Shape(x)', '[4]'],
    ['y = ArgMax(m, 1)', '[?]'],
    ['y = OneHot(Placeholder[int32, shape=[?]], 10, 1.0, 0.0)', '[?,10]'],
    ['y = SelectV2(true, m, [1.0])', '[?,5]'],
    ['y = Select(true, u, m)', '[?,5]'],
    ['y = Merge(m, u)', '?'],
    ['y = Merge(m, Placeholder[shape=[3, 5]])', '[?,5]'],
    ['y = MyOp(x)', '?'],
  ])('%s', (text, expected) => {
    expect(shapeOf(X + text)).toBe(expected);
  });

  it.each([
    'RandomUniform([2, 3])',
    'RandomStandardNormal([2, 3])',
    'TruncatedNormal([2, 3])',
    'RandomUniformInt([2, 3], 0, 9)',
    'StatelessRandomUniform([2, 3], [1, 2])',
    'StatelessRandomUniformV2([2, 3], k, c, a)',
    'StatelessRandomNormalV2([2, 3], k, c, a)',
    'StatelessTruncatedNormalV2([2, 3], k, c, a)',
    'StatelessRandomUniformIntV2([2, 3], k, c, a, 0, 9)',
    'StatefulStandardNormalV2(handle, a, [2, 3])',
    'StatefulStandardNormal(handle, [2, 3])',
    'StatelessRandomGammaV2([2, 3], [1, 2], u)',
  ])('random ops have the shape that they are given: %s', (text) => {
    expect(shapeOf(`y = ${text}`)).toBe('[2,3]');
  });

  it('has shapes of all outputs', () => {
    expect(shapeOf(`${X}y = SplitV(m, [2, 3], 1)[num_split=2]`, 1)).toBe('[?,3]');
    expect(shapeOf(`${X}y = TopKV2(m, 2)`, 1)).toBe('[?,2]');
    expect(shapeOf(`${X}y = IdentityN(x, m)`, 1)).toBe('[?,5]');
  });

  it('gives up sizes that a loop changes', () => {
    const loop = (body: string) => `start = Placeholder[shape=[1, 5]]
      e = Enter(start)[frame_name="loop"]
      y = Merge(e, next)
      s = Switch(y, LoopCond(c))
      next = NextIteration(${body})`;
    expect(shapeOf(loop('Relu(s:1)'))).toBe('[1,5]');
    expect(shapeOf(loop('ConcatV2(s:1, s:1, 0)'))).toBe('[?,5]');
    expect(shapeOf(loop('ExpandDims(s:1, 0)'))).toBe('?');
    expect(shapeOf(loop('MyOp(s:1)'))).toBe('[1,5]');
  });

  it('an empty shape of a Placeholder is unknown in files of old TensorFlows', () => {
    const graph = parseGraph('y = Placeholder[shape=[]]');
    expect(new Shapes(graph).of({ node: 'y', port: 0 })).toBeUndefined();
  });
});
