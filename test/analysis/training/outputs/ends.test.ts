import { describe, expect, it } from 'vitest';
import { rankPredictions } from '../../../../src/analysis/training/outputs/ranking.js';
import { parseGraph } from '../../../../src/notation/parse.js';

const DATA = `
  x = Placeholder[shape=[?, 8]]
  label = Placeholder[shape=[?, 3]]
  class = Placeholder[int32, shape=[?]]
`;
const WEIGHTS = `
  w = VariableV2[shape=[8, 3]]
  back = VariableV2[shape=[3, 8]]
`;
const H = 'h = MatMul(x, w)\n';
const AUTO = 'h = MatMul(MatMul(x, w), back)\n';
const QUEUE = 'q = QueueEnqueueV2(FIFOQueueV2()[component_types=types[float]], p)';

/** The tensors in which a net ends, and what reads them. */
function endsOf(text: string): string {
  const { ranked } = rankPredictions(parseGraph(text), () => true);
  const lines = ranked.map(({ node, reader, demotion }) => `${node.name} ${demotion?.code ?? reader}`);
  return lines.sort().join(', ');
}

describe('a net ends', () => {
  it.each([
    ['in what nothing reads', `${H}p = Softmax(h)`, 'p nothing'],
    ['in a condition', `${H}p = Greater(h, 0.0)`, 'p nothing'],
    ['before an outfeed', `${H}o = OutfeedEnqueue(h)`, 'h nothing'],
    ['nowhere, if a queue takes the result', `${H}p = Relu(h)\n${QUEUE}`, ''],
    ['in what is stored and shown', `${H}p = Relu(h)\ns = HistogramSummary("p", p)\n${QUEUE}`, 'p summary'],
    [
      'in what a group has, if it has no other end',
      `${H}p = Softmax(h)\ng = IdentityN(h, p)\ns = NoOp(^g)`,
      'p nothing',
    ],
    ['in what data is grouped with', `${H}g = IdentityN(h, x)`, 'h nothing'],
    ['in what is made of a group', `${H}g = IdentityN(h, x)\ny = Relu(g)`, 'y nothing'],
    ['in a checked tensor', `${H}c = CheckNumerics(h, "nan")`, 'c nothing'],
    [
      'before an Identity that waits for its check',
      `${H}a = Assert(true, h)[T=[DT_FLOAT]]\ny = Identity(h, ^a)`,
      'h summary',
    ],
    [
      'in an Identity that waits for another check',
      `${H}a = Assert(true, x)[T=[DT_FLOAT]]\ny = Identity(h, ^a)`,
      'y nothing',
    ],
    ['before an Identity that others wait for', `${H}p = Identity(h)\nn = NoOp(^p)`, 'h nothing'],
    [
      'in a list that is stacked',
      `${H}t = TensorListFromTensor(h, [3])[element_dtype=float, shape_type=int32]\ny = TensorListStack(t, [3])[element_dtype=float]`,
      'y nothing',
    ],
    ['in what data is added to', `${H}y = h + label`, 'y nothing'],
    ['in what data is joined to', `${H}y = ConcatV2(h, label, 1)[N=2]`, 'y nothing'],
    [
      'in what is subtracted from a layer of other data',
      `h = MatMul(x, w) - MatMul(label, VariableV2[shape=[3, 3]])`,
      'h nothing',
    ],
    ['in what a generator makes of random numbers', 'h = MatMul(RandomStandardNormal([4, 8]), w)', 'h nothing'],
    [
      'in what is made of a file',
      'f = Placeholder[string, shape=[]]\nh = MatMul(Reshape(DecodeRaw(f)[out_type=float], [-1, 8]), w)',
      'h nothing',
    ],
  ])('%s', (_, text, ends) => expect(endsOf(DATA + WEIGHTS + text)).toBe(ends));
});

describe('a summary', () => {
  it.each([
    ['of a condition shows the net before it', `${H}s = TensorSummaryV2("t", Greater(h, 0.0), "m")`, 'h summary'],
    ['of a mean shows the net before it', `${H}s = ScalarSummary("n", Mean(h, [0, 1]))`, 'h loss'],
    [
      'of an image shows it before it is scaled',
      'h = MatMul(x, VariableV2[shape=[8, 12]])\nimage = Reshape(h, [-1, 2, 2, 3])\ns = ImageSummary("i", image * 255.0)',
      'image summary',
    ],
    ['of a part shows the whole', `${H}p = Tanh(h)\ns = HistogramSummary("p", Slice(p, [0, 0], [-1, 1]))`, 'p summary'],
    [
      'of what a weight scales shows that',
      `${H}p = h * VariableV2[shape=[3]]\ns = HistogramSummary("p", p)`,
      'p summary',
    ],
    ['of an activation shows that', `${H}p = Sigmoid(h)\ns = HistogramSummary("p", p)`, 'p summary'],
    [
      'of flattened places shows them before',
      'h = Reshape(MatMul(x, VariableV2[shape=[8, 12]]), [-1, 4, 3])\ns = HistogramSummary("p", Reshape(h, [-1, 3]))',
      'h summary',
    ],
  ])('%s', (_, text, ends) => expect(endsOf(DATA + WEIGHTS + text)).toBe(ends));
});

describe('an error of each example that nothing reads', () => {
  it.each([
    ['is a loss', `${AUTO}e = Sum(Square(x - h), [1])`, 'h loss'],
    ['is a loss by absolute values', `${AUTO}e = Sum(Abs(x - h), [1])`, 'h loss'],
    ['is a loss of a logarithm', `h = Sigmoid(MatMul(MatMul(x, w), back))\ne = Neg(Sum(x * Log(h), [1]))`, 'h loss'],
    ['is a loss op', `${H}e = SparseSoftmaxCrossEntropyWithLogits(h, class)`, 'h loss'],
    ['is a loss op without a label', `${H}e = L2Loss(h)`, 'h loss'],
    ['is a result if nothing measures it', `${AUTO}e = (x - h) * 2.0`, 'e nothing'],
    ['is a result if it is a product with its own input', `${AUTO}e = Square(x * h)`, 'e nothing'],
    ['is a result if a weight scales it', `${AUTO}e = Square(x - h) * VariableV2[shape=[8]]`, 'e nothing'],
    ['is a result if an activation follows', `${AUTO}e = Sigmoid(Square(x - h))`, 'e nothing'],
  ])('%s', (_, text, ends) => expect(endsOf(DATA + WEIGHTS + text)).toBe(ends));
});

describe('a loss', () => {
  it.each([
    [
      'may weight the examples',
      `${H}loss = Mean(SoftmaxCrossEntropyWithLogits(h, label) * Placeholder[shape=[?]], [0])`,
      'h loss',
    ],
    [
      'may take a margin off the right class',
      `${H}m = h - label * 0.35\nloss = Mean(SoftmaxCrossEntropyWithLogits(m * 30.0, label), [0])`,
      'h loss',
    ],
    [
      'may switch its label',
      `${H}s = Switch(label, Placeholder[bool, shape=[]])\nloss = Mean(Square(h - s:1), [0, 1])`,
      'h loss',
    ],
    ['may choose by the net what it compares', `${H}y = Select(Greater(h, 0.0), h, label)`, 'h loss'],
    ['may compare with the input of the net', `${AUTO}loss = Mean(Square(x - h), [0, 1])`, 'h loss'],
    [
      'may have a penalty of gradients',
      `${H}gradients/h_grad/MatMul = MatMul(h, w)[transpose_b=true]\nloss = Mean(Square(gradients/h_grad/MatMul), [0, 1]) + Mean(h, [0, 1])`,
      'h loss',
    ],
    [
      'may take its label from another port of the data',
      'it = IteratorGetNext(IteratorV2()[output_types=types[float, int32], output_shapes=shapes[[?, 8], [?]]])[output_types=types[float, int32], output_shapes=shapes[[?, 8], [?]]]\nh = MatMul(it, w)\nloss = Mean(SparseSoftmaxCrossEntropyWithLogits(h, it:1), [0])',
      'h loss',
    ],
  ])('%s', (_, text, ends) => expect(endsOf(DATA + WEIGHTS + text)).toBe(ends));
});

describe('a graph without variables', () => {
  const k = 'k = Const[float, shape=[8, 3], value=0.5]\n';
  it.each([
    ['has constants as weights', `${k}h = MatMul(x, k)\ny = Softmax(h)`, 'y nothing'],
    ['has constants as factors', 'y = x * [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]', 'y nothing'],
    ['ends in nothing else', 'y = Relu(x)', ''],
    ['has no weight that is a number', 'y = x * 2.0', ''],
    ['has no weight of integers', 'y = Reshape(x, [-1, 8])', ''],
    ['may read data with an op of its own', `${k}h = MatMul(MyReader()[dtype=float], k)`, 'h nothing'],
  ])('%s', (_, text, ends) => expect(endsOf((text.includes('MyReader') ? '' : DATA) + text)).toBe(ends));
});
