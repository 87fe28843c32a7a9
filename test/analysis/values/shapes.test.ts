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
    // Reductions.
    ['Mean(x, [-1, 1])', '[?,6]'],
    ['Mean(x, [1, 3])[keep_dims=true]', '[?,1,6,1]'],
    ['Mean(u, [1])', '?'],
    ['Mean(x, u)', '?'],
    ['ArgMax(x, -2)', '[?,8,3]'],
    ['ArgMax(x, u)', '?'],
    ['ArgMin(u, 0)', '?'],
    // Matrices.
    ['MatMul(m, float32[7, 5] #0)[transpose_b=true]', '[?,7]'],
    ['MatMul(Placeholder[shape=[5, 4]], float32[5, 7] #0)[transpose_a=true]', '[4,7]'],
    ['MatMul(u, m)', '?'],
    ['MatMul(m, u)', '?'],
    ['MatMul(m, x)', '?'],
    ['BatchMatMulV2(x, float32[3, 9] #0)', '[?,8,6,9]'],
    ['BatchMatMulV2(x, float32[8, 9, 3] #0)[adj_x=false, adj_y=true]', '[?,8,6,9]'],
    ['BatchMatMulV2(x, float32[1, 6, 9] #0)[adj_x=true, adj_y=false]', '[?,8,3,9]'],
    ['BatchMatMulV2(x, [1.0, 2.0])', '?'],
    ['BatchMatMulV2([1.0, 2.0], x)', '?'],
    // Windows: in NCHW, with paddings, dilations, strides; SAME and VALID.
    ['Conv2D(c, float32[3, 3, 3, 7] #0)[data_format=NCHW, strides=[1, 1, 2, 3], padding=SAME]', '[?,7,4,2]'],
    ['Conv2D(x, float32[3, 3, 3, 7] #0)[strides=[1, 2, 2, 1], padding=VALID]', '[?,3,2,7]'],
    ['Conv2D(x, float32[1, 1, 3, 7] #0)[strides=[1, 3, 4, 1], padding=VALID]', '[?,3,2,7]'],
    ['Conv2D(x, float32[9, 1, 3, 7] #0)[strides=[1, 1, 1, 1], padding=VALID]', '[?,0,6,7]'],
    [
      'Conv2D(x, float32[3, 3, 3, 7] #0)[explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0], strides=[1, 1, 1, 1], padding=EXPLICIT]',
      '[?,9,5,7]',
    ],
    ['Conv2D(v, float32[3, 3, 3, 7] #0)[strides=[1, 1, 1, 1], padding=SAME]', '[2,?,6,7]'],
    ['Conv2D(x, Placeholder[shape=[?, 3, 3, ?]])[strides=[1, 1, 1, 1], padding=VALID]', '[?,?,4,?]'],
    ['Conv2D(x, Placeholder[shape=[3, 3]])[strides=[1, 1, 1, 1], padding=VALID]', '?'],
    ['Conv2D(u, float32[3, 3, 3, 7] #0)[strides=[1, 1, 1, 1], padding=VALID]', '?'],
    ['Conv2D(x, float32[3, 3, 3, 7] #0)[data_format=NCHW_VECT_C, strides=[1, 1, 1, 1], padding=VALID]', '?'],
    ['Conv3D(d, float32[3, 2, 1, 3, 7] #0)[strides=[1, 1, 2, 1, 1], padding=VALID]', '[?,6,3,4,7]'],
    [
      'DepthwiseConv2dNative(c, float32[3, 3, 3, 2] #0)[data_format=NCHW, strides=[1, 1, 1, 1], padding=VALID]',
      '[?,6,6,4]',
    ],
    ['DepthwiseConv2dNative(x, Placeholder[shape=[3, 3, 3, ?]])[strides=[1, 1, 1, 1], padding=SAME]', '[?,8,6,?]'],
    ['Conv2DBackpropInput([2, 9, 7, 4], float32[3, 3, 4, 3] #0, x)', '[2,9,7,4]'],
    ['Conv2DBackpropInput(i, float32[3, 3, 4, 3] #0, x)', '[?,?,?,4]'],
    ['Conv2DBackpropInput(i, float32[3, 3, 4, 3] #0, c)[data_format=NCHW]', '[?,4,?,?]'],
    ['Conv2DBackpropInput(i, u, v)', '[2,?,?,?]'],
    ['Conv2DBackpropInput(u, u, u)', '?'],
    ['AvgPool(c)[data_format=NCHW, ksize=[1, 1, 2, 3], strides=[1, 1, 2, 1], padding=VALID]', '[?,3,4,4]'],
    ['AvgPool(x)[ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding=SAME]', '[?,4,3,3]'],
    ['AvgPool(x)[ksize=[2, 2, 2, 1], strides=[1, 1, 1, 1], padding=VALID]', '?'],
    ['AvgPool(x)[ksize=[1, 2, 1], strides=[1, 1, 1], padding=VALID]', '?'],
    ['AvgPool(u)[ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding=VALID]', '?'],
    ['MaxPoolV2(x, u, [1, 2, 2, 1])[padding=VALID]', '?'],
    ['MaxPoolV2(x, [1, 2, 2, 1], u)[padding=VALID]', '?'],
    ['MaxPoolWithArgmax(x)[ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding=VALID]', '[?,4,3,3]'],
    ['MaxPool3D(d)[ksize=[1, 2, 2, 2, 1], strides=[1, 2, 2, 2, 1], padding=VALID]', '[?,4,3,2,3]'],
    // Sizes.
    ['Reshape(x, [0, 5])', '[0,5]'],
    ['Reshape(Placeholder[shape=[2, 6]], [3, -1])', '[3,4]'],
    ['Reshape(Placeholder[shape=[2, 6]], [-1, -1])', '[?,?]'],
    ['Reshape(u, [3, -1])', '[3,?]'],
    ['Reshape(x, u)', '?'],
    ['Squeeze(Placeholder[shape=[1, 5, 1]])', '[5]'],
    ['Squeeze(Placeholder[shape=[1, ?, 1]])[squeeze_dims=[-1]]', '[1,?]'],
    ['Squeeze(u)[squeeze_dims=[0]]', '?'],
    ['ExpandDims(m, 0)', '[1,?,5]'],
    ['ExpandDims(m, 2)', '[?,5,1]'],
    ['ExpandDims(m, -4)', '?'],
    ['ExpandDims(u, 0)', '?'],
    ['Transpose(x, u)', '[?,?,?,?]'],
    ['Transpose(u, [1, 0])', '?'],
    ['Pad(m, u)', '[?,?]'],
    ['Pad(m, [[1, 1]])', '[?,?]'],
    ['PadV2(m, [[0, 0], [1, 2]], 5.0)', '[?,8]'],
    ['ConcatV2(m, m, u)', '[?,?]'],
    ['ConcatV2(u, u, 1)', '?'],
    ['ConcatV2(m, Placeholder[shape=[3, 7]], -1)', '[3,12]'],
    ['ConcatV2(m, Placeholder[shape=[3, ?]], 1)', '[3,?]'],
    ['Concat(0, Placeholder[shape=[3, 5]], Placeholder[shape=[4, 5]])', '[7,5]'],
    ['Pack(m, m, m)', '[3,?,5]'],
    ['Pack(m, u)[axis=-1]', '[?,5,2]'],
    ['Pack(u, u)', '?'],
    ['Unpack(x)[axis=-1, num=3]', '[?,8,6]'],
    ['Unpack(u)[axis=0, num=3]', '?'],
    ['Split(0, m)[num_split=5]', '[?,5]'],
    ['Split(u, m)[num_split=5]', '[?,?]'],
    ['Split(0, u)[num_split=5]', '?'],
    ['SplitV(m, u, 1)[num_split=2]', '[?,?]'],
    ['SplitV(m, [2, 3], u)[num_split=2]', '[?,?]'],
    ['SplitV(u, [2, 3], 1)[num_split=2]', '?'],
    ['SplitV(m, [1, -1, 2], 1)[num_split=3]', '[?,1]'],
    ['Tile(m, u)', '[?,?]'],
    ['Tile(u, [1, 2])', '?'],
    ['Gather(x, 1)', '[8,6,3]'],
    ['Gather(x, [[1, 2], [3, 4]])', '[2,2,8,6,3]'],
    ['Gather(u, [1])', '?'],
    ['Gather(x, u)', '?'],
    ['GatherV2(x, [0, 1, 2], -1)', '[?,8,6,3]'],
    ['GatherV2(x, Placeholder[int32, shape=[?, 4]], 1)[batch_dims=1]', '[?,4,6,3]'],
    ['GatherV2(u, [0], 0)', '?'],
    ['GatherNd(x, u)', '?'],
    ['GatherNd(u, [[0]])', '?'],
    ['OneHot(Placeholder[int32, shape=[?, 4]], 10, 1.0, 0.0)[axis=0]', '[10,?,4]'],
    ['OneHot(Placeholder[int32, shape=[?, 4]], u, 1.0, 0.0)[axis=1]', '[?,?,4]'],
    ['OneHot(u, 10, 1.0, 0.0)', '?'],
    ['ResizeBilinear(x, u)', '[?,?,?,3]'],
    ['ResizeBilinear(m, [4, 4])', '?'],
    ['DepthToSpace(Placeholder[shape=[?, 8, 2, 3]])[block_size=2, data_format=NCHW]', '[?,2,4,6]'],
    ['SpaceToDepth(c)[block_size=2, data_format=NCHW]', '[?,12,4,3]'],
    ['SpaceToDepth(c)[block_size=2, data_format=NCHW_VECT_C]', '?'],
    ['SpaceToDepth(m)[block_size=2]', '?'],
    ['SpaceToBatchND(v, [2, 3], [[0, 0], [0, 0]])', '[12,?,2,3]'],
    ['BatchToSpaceND(Placeholder[shape=[12, 4, 2, 3]], [2, 3], [[1, 0], [0, 1]])', '[2,7,5,3]'],
    ['SpaceToBatchND(x, [2], [[0, 0]])', '[?,4,6,3]'],
    ['SpaceToBatchND(x, u, [[0, 0]])', '?'],
    ['SpaceToBatchND(x, [2], u)', '?'],
    ['SpaceToBatchND(x, [2, 2], [[0, 0]])', '?'],
    ['SpaceToBatchND(m, [2, 2], [[0, 0], [0, 0]])', '?'],
    ['TopKV2(m, 2)', '[?,2]'],
    ['TopK(m)[k=3]', '[?,3]'],
    ['TopKV2(u, 2)', '?'],
    ['TopKV2(m, u)', '[?,?]'],
  ])('%s', (text, expected) => {
    const more = `c = Placeholder[shape=[?, 3, 8, 6]]
v = Placeholder[shape=[2, ?, 6, 3]]
d = Placeholder[shape=[?, 8, 6, 4, 3]]
i = Placeholder[int32, shape=[4]]
`;
    expect(shapeOf(`${X}${more}y = ${text}`)).toBe(expected);
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
    expect(shapeOf(loop('MyOp(s:1)'))).toBe('?');
  });

  it('an empty shape of a Placeholder is unknown in files of old TensorFlows', () => {
    const graph = parseGraph('y = Placeholder[shape=[]]');
    expect(new Shapes(graph).of({ node: 'y', port: 0 })).toBeUndefined();
  });
});
