import { describe, expect, it } from 'vitest';
import { rankOutputs } from '../../../../src/analysis/training/outputs.js';
import { refText } from '../../../../src/graph/node.js';
import { parseGraph } from '../../../../src/notation/parse.js';

/** Data, labels, and the weights of layers from 8 to n features; `h` is the net. */
const GIVEN = `
  x = Placeholder[shape=[?, 8]]
  z = Placeholder[shape=[?, 8]]
  label = Placeholder[shape=[?, 3]]
  number = Placeholder[shape=[?]]
  class = Placeholder[int32, shape=[?]]
  w = VariableV2[shape=[8, 3]]
  other = VariableV2[shape=[8, 3]]
  one = VariableV2[shape=[8, 1]]
  six = VariableV2[shape=[8, 6]]
  back = VariableV2[shape=[3, 8]]
`;
const NET = 'h = MatMul(x, w)\n';

/** The tensors of a net that may be outputs. */
function outputsOf(text: string): string {
  const { candidates } = rankOutputs(parseGraph(GIVEN + text));
  return candidates
    .filter(({ demotion }) => demotion === undefined)
    .map(({ ref }) => refText(ref))
    .sort()
    .join(' ');
}

/** What a mean squared error compares with a label. */
const mse = (p: string, label = 'label', axes = '[0, 1]') => `loss = Mean(Square(${p} - ${label}), ${axes})`;
const crossEntropy = (log: string) => `loss = Neg(Mean(label * ${log}, [0, 1]))`;

describe('the prediction that a loss compares', () => {
  it.each([
    ['is the net', mse('h'), 'h'],
    ['is the net times a weight', `p = h * VariableV2[shape=[3]]\n${mse('p')}`, 'p'],
    ['is an activation', `p = Tanh(h)\n${mse('p')}`, 'p'],
    [
      'is before a cast',
      `p = Cast(h)[SrcT=float, DstT=double]\nloss = Mean(Square(p - Cast(label)[SrcT=float, DstT=double]), [0, 1])`,
      'h',
    ],
    ['is before StopGradient', `p = StopGradient(h)\n${mse('p')}`, 'h'],
    [
      'is before ArgMax',
      'loss = Mean(Cast(Equal(ArgMax(h, 1)[output_type=int32], class))[SrcT=bool, DstT=float], [0])',
      'h',
    ],
    ['is before Round', `p = Sigmoid(h)\n${mse('Round(p)')}`, 'p'],
    ['is before a threshold', `p = Sigmoid(h)\nq = Cast(Greater(p, 0.5))[SrcT=bool, DstT=float]\n${mse('q')}`, 'p'],
    ['is normalised', `p = h / Sqrt(Sum(Square(h), [1])[keep_dims=true])\n${mse('p')}`, 'p'],
    ['is normalised by Rsqrt', `p = h * Rsqrt(Maximum(Sum(Square(h), [1])[keep_dims=true], 0.001))\n${mse('p')}`, 'p'],
    [
      'is normalised without a label',
      'p = h * Rsqrt(Sum(Square(h), [1])[keep_dims=true])\nloss = Mean(Square(p), [0, 1])',
      'p',
    ],
    [
      'is before a root that normalises nothing',
      'p = h * Rsqrt(Sum(Square(z), [1])[keep_dims=true])\nloss = Mean(Square(p), [0, 1])',
      'h',
    ],
  ])('%s', (_, text, outputs) => expect(outputsOf(NET + text)).toBe(outputs));
});

describe('of a logarithm, the prediction', () => {
  it.each([
    ['is a probability', `p = Softmax(h)\n${crossEntropy('Log(p)')}`, 'p'],
    ['is before epsilon', `p = Softmax(h)\n${crossEntropy('Log(p + 0.0000001)')}`, 'p'],
    ['is before a lower limit', `p = Softmax(h)\n${crossEntropy('Log(Maximum(p, 0.0000001))')}`, 'p'],
    ['is before both limits', `p = Softmax(h)\n${crossEntropy('Log(Minimum(Maximum(p, 0.0000001), 0.99999))')}`, 'p'],
    ['is before its sum divides it', `p = Softmax(h)\n${crossEntropy('Log(p / Sum(p, [1])[keep_dims=true])')}`, 'p'],
    ['is before a square', crossEntropy('Log(Square(h))'), 'h'],
    ['is a sum of two', `p = h + MatMul(x, other)\n${crossEntropy('Log(p)')}`, 'p'],
    [
      'is of both classes',
      'p = Sigmoid(h)\nloss = Neg(Mean(label * Log(p) + (1.0 - label) * Log(1.0 - p), [0, 1]))',
      'p',
    ],
    [
      'is compared as it is, too',
      `p = Softmax(h)\nq = p + 0.001\nloss = Neg(Mean(label * Log(q), [0, 1])) + Mean(Square(q - label), [0, 1])`,
      'q',
    ],
  ])('%s', (_, text, outputs) => expect(outputsOf(NET + text)).toBe(outputs));
});

describe('of a change of shape, the prediction', () => {
  const parts = 'p = MatMul(x, six)\na = Slice(p, [0, 0], [-1, 3])\n';
  it.each([
    ['is the slice, if it is the only one', `${parts}${mse('a')}`, 'a'],
    [
      'is the whole of two slices',
      `${parts}b = Slice(p, [0, 3], [-1, 3])\n${mse('a')}\nmore = Mean(Square(b - z), [0, 1])`,
      'p',
    ],
    [
      'is the whole of two slices after activations',
      `${parts}b = Slice(p, [0, 3], [-1, 3])\n${mse('Sigmoid(a)')}\nmore = Mean(Square(Exp(b) * 2.0 - label), [0, 1])`,
      'p',
    ],
    [
      'is a slice times a weight',
      `${parts}b = Slice(p, [0, 3], [-1, 3])\ns = a * VariableV2[shape=[3]]\n${mse('s')}\nmore = Mean(Square(b - label), [0, 1])`,
      's',
    ],
    [
      'is the gathered part, if it is the only one',
      `p = MatMul(x, six)\na = GatherV2(p, [0, 1, 2], 1)\n${mse('a')}`,
      'a',
    ],
    ['is the whole of a Split', `p = MatMul(x, six)\na = Split(1, p)[num_split=2]\n${mse('a')}`, 'p'],
    [
      'is the whole of an Unpack',
      `p = Reshape(MatMul(x, six), [-1, 2, 3])\na = Unpack(p)[num=2, axis=1]\n${mse('a')}`,
      'p',
    ],
    [
      'is transposed',
      `p = Reshape(MatMul(x, six), [-1, 2, 3])\nt = Transpose(p, [0, 2, 1])\n${mse('t', 'Placeholder[shape=[?, 3, 2]]', '[0, 1, 2]')}`,
      't',
    ],
    [
      'is before a transposition for a loss op',
      `p = Reshape(MatMul(x, six), [-1, 2, 3])\nt = Transpose(p, [1, 0, 2])\nloss = Mean(SoftmaxCrossEntropyWithLogits(t, Placeholder[shape=[2, ?, 3]]), [0, 1])`,
      'p',
    ],
    [
      'is reshaped for what it means',
      `p = Reshape(MatMul(x, six), [-1, 2, 3])\n${mse('p', 'Placeholder[shape=[?, 2, 3]]', '[0, 1, 2]')}`,
      'p',
    ],
    ['is before it is flattened to a vector', `${NET}${mse('Reshape(h, [-1])', 'number', '[0]')}`, 'h'],
    ['is before it is squeezed', `p = MatMul(x, one)\n${mse('Squeeze(p)[squeeze_dims=[1]]', 'number', '[0]')}`, 'p'],
    [
      'is before an axis is added',
      `${NET}${mse('ExpandDims(h, 1)', 'Placeholder[shape=[?, 1, 3]]', '[0, 1, 2]')}`,
      'h',
    ],
    ['is before a reshape that changes nothing', `${NET}${mse('Reshape(h, [-1, 3])')}`, 'h'],
    [
      'is before a reshape for a loss op',
      'p = Reshape(MatMul(x, six), [-1, 2, 3])\nq = Reshape(p, [-1, 6])\nloss = Mean(SoftmaxCrossEntropyWithLogits(q, Placeholder[shape=[?, 6]]), [0])',
      'p',
    ],
    [
      'is before a reshape of examples and places',
      'p = Reshape(MatMul(x, six), [-1, 2, 3])\nq = Reshape(p, [-1, 3])\nloss = Mean(Square(q - Placeholder[shape=[?, 3]]), [0, 1])',
      'p',
    ],
  ])('%s', (_, text, outputs) => expect(outputsOf(text)).toBe(outputs));
});

describe('of a distance between two examples, the prediction', () => {
  const pair = (of: string) => `a = MatMul(x, w)\nb = MatMul(z, w)\nd = ${of}\nloss = Mean(number * d, [0])`;
  it.each([
    ['is each of them', pair('Sqrt(Sum(Square(a - b), [1]) + 0.00001)'), 'a b'],
    ['is each of them, absolute', pair('Sum(Abs(a - b), [1])'), 'a b'],
    ['is each of them, to a power', pair('Sum(Pow(a - b, 2.0), [1])'), 'a b'],
    ['is the distance after an activation', pair('Exp(Neg(Sum(Abs(a - b), [1])))'), 'd'],
    ['is the distance with a weight', pair('Sum(Square(a - b) * VariableV2[shape=[3]], [1])'), 'd'],
    ['is a similarity', pair('Sum(a * b, [1])'), 'd'],
    [
      'is the distance of other weights',
      'a = MatMul(x, w)\nb = MatMul(z, other)\nd = Sum(Square(a - b), [1])\nloss = Mean(number * d, [0])',
      'd',
    ],
    [
      'is the distance of other ops',
      'a = Relu(MatMul(x, w))\nb = Tanh(MatMul(z, w))\nd = Sum(Square(a - b), [1])\nloss = Mean(number * d, [0])',
      'd',
    ],
    [
      'is each of them where a loss needs no label',
      'a = MatMul(x, w)\nb = MatMul(z, w)\nloss = Mean(Square(a - b), [0, 1])',
      'a b',
    ],
    [
      'is each score before their order is a probability',
      'a = MatMul(x, one)\nb = MatMul(z, one)\nloss = Neg(Mean(Log(Sigmoid(a - b)), [0, 1]))',
      'a b',
    ],
    [
      'is the probability of two nets',
      'a = MatMul(x, w)\nb = MatMul(x, other)\np = Sigmoid(a - b)\nloss = Neg(Mean(Log(p), [0, 1]))',
      'p',
    ],
  ])('%s', (_, text, outputs) => expect(outputsOf(text)).toBe(outputs));
});

describe('without a label, the prediction', () => {
  it.each([
    ['is before a hinge', 'loss = Mean(Relu(1.0 - h), [0, 1])', 'h'],
    ['is a layer with Relu', 'p = Relu(h)\nloss = Mean(p, [0, 1])', 'p'],
    ['is before Softplus', 'loss = Mean(Softplus(Neg(h)), [0, 1])', 'h'],
    ['is a rate that Softplus makes of a layer', 'p = Softplus(h)\nloss = Mean(Square(p) - Log(p), [0, 1])', 'p'],
    ['is the layer that something else reads as well', 'loss = Mean(Exp(h) - h, [0, 1])', 'h'],
    ['is a deviation', 'p = Exp(h)\nloss = Mean(Square(p) - Log(p), [0, 1])', 'p'],
    ['is a probability', 'p = Sigmoid(h)\nloss = Mean(p, [0, 1])', 'p'],
    ['is before its logarithm', 'p = Sigmoid(h)\nloss = Mean(Log(p), [0, 1])', 'p'],
    ['is before it waits', `p = Identity(h, ^x)\nloss = Mean(p, [0, 1])`, 'h'],
    ['is an Identity that does not wait', `p = Identity(h)\nloss = Mean(p, [0, 1])`, 'p'],
    ['is resized', 'p = ResizeBilinear(Reshape(h, [-1, 1, 1, 3]), [2, 2])\nloss = Mean(p, [0, 1, 2, 3])', 'p'],
    ['is biased', 'p = BiasAdd(h, VariableV2[shape=[3]])\nloss = Mean(p, [0, 1])', 'p'],
  ])('%s', (_, text, outputs) => expect(outputsOf(NET + text)).toBe(outputs));
});

describe('a mirrored loss', () => {
  it.each([
    ['of roots', mse('Sqrt(h)', 'Sqrt(label)'), 'h'],
    ['of sums', mse('Sum(h, [1])', 'Sum(label, [1])', '[0]'), 'h'],
    ['of activations has their output', `p = Sigmoid(h)\n${mse('p', 'Sigmoid(label)')}`, 'p'],
    ['of different ops has their output', `p = Sqrt(h)\n${mse('p', 'Square(label)')}`, 'p'],
  ])('%s', (_, text, outputs) => expect(outputsOf(NET + text)).toBe(outputs));
});

describe('a metric', () => {
  const trained = 'step = ApplyGradientDescent(w, 0.1, gradients/h_grad/MatMul)\n';
  const gradient = `${NET}cost = SparseSoftmaxCrossEntropyWithLogits(h, class)\ngradients/cost_grad/mul = Mul(cost:1, 1.0)\ngradients/h_grad/MatMul = MatMul(x, gradients/cost_grad/mul)[transpose_a=true]\n${trained}`;
  it.each([
    [
      'reads what the loss reads',
      'm = Mean(Cast(Equal(ArgMax(h, 1)[output_type=int32], class))[SrcT=bool, DstT=float], [0])',
      'h',
    ],
    ['reads a probability', 'p = Softmax(h)\nm = Mean(Square(p - label), [0, 1])', 'p'],
    ['reads arithmetic', 'm = Mean(Square(h * 255.0 - label), [0, 1])', 'h'],
    ['reads an Identity', 'm = Mean(Square(Identity(h) - label), [0, 1])', 'h'],
  ])('%s', (_, text, outputs) => expect(outputsOf(gradient + text)).toBe(outputs));
});
