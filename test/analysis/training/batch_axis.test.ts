import { describe, expect, it } from 'vitest';
import { Net } from '../../../src/analysis/training/outputs/net.js';
import { parseGraph } from '../../../src/notation/parse.js';

const X = `
  x = Placeholder[shape=[?, 4, 6]]
  flat = Placeholder[shape=[?, 8]]
  image = Placeholder[shape=[?, 4, 4, 3]]
  anything = Placeholder[shape=?]
  ids = Placeholder[int32, shape=[?]]
  w = VariableV2[shape=[8, 3]]
`;

/** What is known of the axis of the examples in y. */
function axisOf(text: string): string {
  const graph = parseGraph(X + text);
  const { batch } = new Net(graph);
  const y = graph.get('y');
  const is = { reduced: batch.isReduced(y), merges: batch.merges(y), keeps: batch.keeps(y) };
  return (
    Object.entries(is)
      .filter(([, holds]) => holds)
      .map(([name]) => name)
      .join(' ') || 'unknown'
  );
}

const REDUCTIONS: [string, string][] = [
  ['y = Mean(x, [0])', 'reduced'],
  ['y = Mean(x, [1])', 'keeps'],
  ['y = Mean(x, [-1])', 'keeps'],
  ['y = Mean(x, [-3])', 'reduced'],
  ['y = Mean(x, [0, 1, 2])', 'reduced'],
  ['y = Mean(x, ids)', 'unknown'],
  ['y = Sum(anything, [-1])', 'unknown'],
  ['y = ArgMax(x, 2)', 'keeps'],
  ['y = ArgMax(x, 0)', 'reduced'],
  // The axis of the examples moves where axes before it are taken away, and stays where they are kept.
  ['t = Transpose(x, [1, 0, 2])\ny = Mean(Mean(t, [0]), [0])', 'reduced'],
  ['t = Transpose(x, [1, 0, 2])\ny = Mean(Mean(t, [0]), [1])', 'keeps'],
  ['t = Transpose(x, [1, 0, 2])\ny = Mean(Mean(t, [2]), [1])', 'reduced'],
  ['t = Transpose(x, [1, 0, 2])\ny = Mean(Mean(t, [0])[keep_dims=true], [1])', 'reduced'],
  ['t = Transpose(x, [1, 0, 2])\ny = Mean(Mean(t, [0])[keep_dims=true], [0])', 'keeps'],
  // Whichever of the first two axes it is.
  ['t = Transpose(x, ids)\ny = Mean(t, [0, 1])', 'reduced'],
  ['t = Transpose(x, ids)\ny = Mean(t, [0])', 'unknown'],
  ['m = Reshape(x, [-1, 6])\ny = Mean(m, [0])', 'reduced'],
  ['m = Reshape(x, [-1, 6])\ny = Mean(m, [1])', 'unknown'],
];

const RESHAPES: [string, string][] = [
  ['y = Reshape(x, [-1, 24])', 'keeps'],
  ['y = Reshape(x, [-1, 6])', 'merges'],
  ['y = Reshape(x, [-1])', 'merges'],
  ['y = Reshape(Reshape(x, [-1, 6]), [-1, 4, 6])', 'unknown'],
  ['y = Reshape(anything, [-1, 24])', 'unknown'],
  ['y = Reshape(Mean(x, [0]), [24])', 'reduced'],
  ['y = ExpandDims(x, 1)', 'keeps'],
  ['y = ExpandDims(x, -1)', 'keeps'],
  ['y = ExpandDims(x, 0)', 'unknown'],
  ['y = Squeeze(Mean(x, [1])[keep_dims=true])[squeeze_dims=[1]]', 'keeps'],
  ['y = Squeeze(x)[squeeze_dims=[0]]', 'unknown'],
  ['y = Squeeze(x)', 'unknown'],
  ['y = Transpose(x, [1, 0, 2])', 'keeps'],
  ['y = Transpose(x, ids)', 'unknown'],
  ['y = Mean(Transpose(x, [1, 2, 0]), [2])', 'reduced'],
  ['y = Mean(Transpose(x, [1, 2, 0]), [0])', 'keeps'],
];

const PARTS: [string, string][] = [
  ['y = Slice(x, [0, 1, 0], [-1, 2, 6])', 'keeps'],
  ['y = Slice(x, [1, 0, 0], [-1, 4, 6])', 'unknown'],
  ['y = Slice(x, [0, 0, 0], [2, 4, 6])', 'unknown'],
  ['y = Slice(Mean(x, [0]), [0, 0], [1, 1])', 'reduced'],
  ['y = StridedSlice(x, [0, 1], [0, 2], [1, 1])[begin_mask=1, end_mask=1]', 'keeps'],
  ['y = StridedSlice(x, [0, 1], [0, 2], [1, 1])[begin_mask=1]', 'unknown'],
  ['y = StridedSlice(x, [0, 1], [0, 2], [1, 1])[end_mask=1]', 'unknown'],
  ['y = StridedSlice(x, [0, 1], [0, 2], [1, 1])[ellipsis_mask=1]', 'keeps'],
  ['y = StridedSlice(x, [0], [1], [1])[begin_mask=1, end_mask=1, shrink_axis_mask=1]', 'unknown'],
  ['y = StridedSlice(x, [0], [1], [1])[begin_mask=1, end_mask=1, new_axis_mask=1]', 'unknown'],
  ['y = StridedSlice(x, [0, 1], [0, 2], [1, 1])[begin_mask=1, end_mask=1, shrink_axis_mask=2]', 'keeps'],
  ['y = GatherV2(w, ids, 0)', 'keeps'],
  ['y = GatherV2(x, ids, 0)', 'unknown'],
  ['y = ConcatV2(flat, flat, 1)[N=2]', 'keeps'],
];

const LAYERS: [string, string][] = [
  ['y = MatMul(flat, w)', 'keeps'],
  ['y = MatMul(flat, w)[transpose_a=true]', 'unknown'],
  // Similarities of all examples with each other.
  ['y = MatMul(flat, flat)[transpose_b=true]', 'reduced'],
  ['y = MatMul(flat, w)[transpose_b=true]', 'keeps'],
  ['y = Relu(x)', 'keeps'],
  ['y = Mul(x, 2.0)', 'keeps'],
  ['y = Add(Mean(x, [0]), 1.0)', 'reduced'],
  ['y = Sub(x, Mean(x, [0]))', 'keeps'],
  // Aligned at the last axis.
  ['y = Mean(Mul(ids, [[1], [2]]), [0])', 'keeps'],
  ['y = Mean(Mul(ids, [[1], [2]]), [1])', 'reduced'],
  ['y = Select(Greater(flat, 0.0), flat, flat)', 'keeps'],
  [
    'bn = FusedBatchNormV3(image, [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [], [])[is_training=true]\ny = Relu(bn:1)',
    'reduced',
  ],
  ['bn = FusedBatchNormV3(image, [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [], [])[is_training=true]\ny = Relu(bn)', 'keeps'],
  ['y = Identity(w)', 'unknown'],
  ['y = Foreign(x)', 'unknown'],
  // A scalar summary takes a single number.
  ['y = Foreign(x)\nshown = ScalarSummary("loss", y)', 'reduced'],
];

/** Whichever op a tensor comes from, a mean over its axis of examples is reduced; t has it as axis 1, m has it merged with another. */
const T = 't = Transpose(x, [1, 0, 2])\n';
const M = 'm = Reshape(x, [-1, 6])\n';
const MOVED: [string, string][] = [
  [`${T}y = Mean(ExpandDims(t, 2), [1])`, 'reduced'],
  [`${T}y = ExpandDims(t, 1)`, 'unknown'],
  [`${T}y = ExpandDims(t, 0)`, 'unknown'],
  ['y = ExpandDims(x, ids)', 'unknown'],
  [`${T}y = Squeeze(Mean(t, [2])[keep_dims=true])[squeeze_dims=[2]]`, 'keeps'],
  [`${T}y = Mean(Squeeze(Mean(t, [2])[keep_dims=true])[squeeze_dims=[2]], [1])`, 'reduced'],
  [`${T}y = Squeeze(t)[squeeze_dims=[0]]`, 'unknown'],
  [`${T}y = Squeeze(t)[squeeze_dims=[1]]`, 'unknown'],
  [`${T}y = Reshape(t, [4, -1])`, 'unknown'],
  [`${T}y = Slice(t, [0, 0, 0], [4, -1, 6])`, 'unknown'],
  [`${T}y = ConcatV2(t, t, 2)[N=2]`, 'unknown'],
  [`${T}y = GatherV2(t, ids, 0)`, 'unknown'],
  [`${T}y = Mean(Relu(t), [1])`, 'reduced'],
  [`${T}y = Mean(Transpose(t, [1, 0, 2]), [0])`, 'reduced'],
  [`${T}y = ArgMax(ArgMax(t, 0), 0)`, 'reduced'],
  [`${T}y = Mean(Max(t, [0]), [-2])`, 'reduced'],
  [`${T}y = Mean(Max(t, [0]), [1])`, 'keeps'],
  [`${T}y = Mean(Add(t, Mean(x, [0])), [1])`, 'reduced'],
  [`${T}y = BatchMatMul(t, t)`, 'unknown'],
  [`${M}y = Mean(Relu(m), [0])`, 'reduced'],
  [`${M}y = Mean(MatMul(m, VariableV2[shape=[6, 2]]), [0])`, 'reduced'],
  [`${M}y = Mean(Add(m, Mean(x, [0, 1])), [0])`, 'reduced'],
  [`${M}y = Mean(Add(Mean(x, [0, 1]), m), [0])`, 'reduced'],
  [`${M}y = Mean(Slice(m, [0, 0], [-1, 2]), [0])`, 'reduced'],
  [`${M}y = Mean(ConcatV2(m, m, 1)[N=2], [0])`, 'reduced'],
  [`${M}y = Mean(Mean(m, [1]), [0])`, 'reduced'],
  [`${M}y = Mean(Transpose(m, [1, 0]), [0])`, 'reduced'],
  [`${M}y = Mean(Reshape(m, [-1, 4, 6]), [0])`, 'unknown'],
  [`${M}y = Mean(GatherV2(m, ids, 0), [0])`, 'unknown'],
  ['r = Mean(x, [0])\ny = Transpose(r, [1, 0])', 'reduced'],
  ['r = Mean(x, [0])\ny = GatherV2(r, ids, 0)', 'keeps'],
  ['r = Mean(x, [0])\ny = ConcatV2(r, r, 0)[N=2]', 'reduced'],
  ['r = Mean(x, [0])\ny = MatMul(r, w)', 'reduced'],
  ['u = Foreign(x)\ny = Relu(u)', 'unknown'],
  ['u = Foreign(x)\ny = Add(u, Mean(x, [0, 1]))', 'unknown'],
  ['u = Foreign(x)\ny = Mean(Transpose(u, [1, 0]), [0, 1])', 'reduced'],
  ['u = Foreign(x)\ny = Mean(MatMul(u, w), [0])', 'unknown'],
];

const SQUEEZED: [string, string][] = [
  ['y = Squeeze(Placeholder[shape=[?, 1, 4, 1]])[squeeze_dims=[1, 3]]', 'keeps'],
  ['y = Squeeze(Placeholder[shape=[?, 4, 1]])[squeeze_dims=[-1]]', 'keeps'],
  ['t = Transpose(Placeholder[shape=[?, 1, 1, 3]], [1, 0, 2, 3])\ny = Squeeze(t)[squeeze_dims=[0, 2]]', 'unknown'],
  ['y = Reshape(Placeholder[shape=[?, ?, 6]], [-1, 6])', 'unknown'],
  ['y = Reshape(Placeholder[shape=[?, 0, 6]], [-1, 0])', 'keeps'],
];

const SOURCES: [string, string][] = [
  ['y = Placeholder[shape=[?, 3]]', 'keeps'],
  ['y = Placeholder[bool, shape=[?]]', 'unknown'],
  ['y = PlaceholderWithDefault(1.0)[shape=[]]', 'unknown'],
  ['y = RandomUniform([4, 8])', 'keeps'],
  ['y = StatelessRandomUniform([4, 8], [1, 2])', 'keeps'],
  ['y = Mul(w, 2.0)', 'unknown'],
  ['y = Mul(Shape(x), 2)', 'unknown'],
  ['y = Select(Greater(flat, 0.0), Mean(flat, [0]), Mean(flat, [0]))', 'reduced'],
  ['f = Placeholder[bool, shape=[?]]\ny = Switch(Mean(x, [0]), f)', 'reduced'],
  ['y = Merge(Mean(x, [0]), Mean(x, [0]))[N=2]', 'reduced'],
  [
    'a = TensorArrayV3(1)[dtype=float32]\nb = TensorArrayWriteV3(a, 0, Mean(x, [0]), a:1)[T=float32]\ny = TensorArrayReadV3(a, 0, b)[dtype=float32]',
    'unknown',
  ],
  [
    'bn = FusedBatchNormV3(image, [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [], [])[is_training=true]\ny = Add(image, bn:1)',
    'keeps',
  ],
  ['y = MatMul(flat, flat)', 'keeps'],
  ['y = MatMul(Mean(flat, [0])[keep_dims=true], flat)[transpose_b=true]', 'unknown'],
  ['y = BatchMatMulV2(x, x)[adj_y=true]', 'keeps'],
  ['y = Conv2D(image, VariableV2[shape=[1, 1, 3, 2]])', 'keeps'],
  ['y = StridedSlice(x, [0, 1], [0, 2], [1, 1])[ellipsis_mask=1, new_axis_mask=1]', 'unknown'],
];

describe.each([
  ['a reduction', REDUCTIONS],
  ['a move', MOVED],
  ['axes of one element or of unknown size', SQUEEZED],
  ['a source', SOURCES],
  ['a change of shape', RESHAPES],
  ['a part', PARTS],
  ['a layer', LAYERS],
] as const)('the axis of the examples after %s', (_, rows) => {
  it.each([...rows])('%s: %s', (text, expected) => {
    expect(axisOf(text)).toBe(expected);
  });
});
