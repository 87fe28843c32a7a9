import { describe, expect, it } from 'vitest';
import { Net } from '../../../../src/analysis/training/outputs/net.js';
import { findPredictions } from '../../../../src/analysis/training/outputs/predictions.js';
import { parseGraph } from '../../../../src/notation/parse.js';

const GIVEN = `
  x = Placeholder[shape=[?, 8]]
  z = Placeholder[shape=[?, 8]]
  label = Placeholder[shape=[?, 3]]
  number = Placeholder[shape=[?]]
  w = VariableV2[shape=[8, 3]]
  other = VariableV2[shape=[8, 3]]
  six = VariableV2[shape=[8, 6]]
  back = VariableV2[shape=[3, 8]]
`;
const H = 'h = MatMul(x, w)\n';
const AUTO = 'c = MatMul(MatMul(x, w), back)\n';
const PAIR = 'a = MatMul(x, w)\nb = MatMul(z, w)\n';
const crossEntropy = (p: string) => `l_${p} = Mean(SoftmaxCrossEntropyWithLogits(${p}, label), [0])\n`;

/** The predictions of a net, whether they are compared with data, and that data. */
function found(text: string): string {
  const { predictions, targets } = findPredictions(new Net(parseGraph(GIVEN + text)));
  const lines = predictions.map(({ node, reader, compared }) => `${node.name} ${reader}${compared ? ' compared' : ''}`);
  return `${lines.sort().join(', ')}; ${targets
    .map(({ name }) => name)
    .sort()
    .join(' ')}`;
}

describe('the predictions of a net, and what they are compared with', () => {
  it.each([
    ['a mean squared error', `${H}loss = Mean(Square(h - label), [0, 1])`, 'h loss compared; label'],
    ['a loss op', H + crossEntropy('h'), 'h loss compared; label'],
    ['a loss without data', `${H}loss = Mean(Square(h), [0, 1])`, 'h loss; '],
    ['an error of each example', `${AUTO}e = Sum(SquaredDifference(x, c), [1])`, 'c loss compared; x'],
    [
      'an error of each example after a root',
      `${AUTO}e = Sqrt(Sum(SquaredDifference(x, c), [1]))`,
      'c loss compared; x',
    ],
    ['an error of each feature', `${AUTO}e = Sum(SquaredDifference(x, c), [0])`, 'c loss compared; x'],
    ['a sum of data and net', `${AUTO}e = Sum(Square(x + c), [1])`, 'e nothing; '],
    ['a sum of data and net in a loss', `${AUTO}e = Mean(Square(x + c), [0, 1])`, 'c loss; '],
    ['a logarithm of the net', `c = Sigmoid(MatMul(MatMul(x, w), back))\ne = Sum(Log(c), [1])`, 'e nothing; '],
    ['twins without data', `${PAIR}loss = Mean(Square(a - b), [0, 1])`, 'a loss compared, b loss compared; '],
    [
      'tensors of other weights without data',
      `a = MatMul(x, w)\nb = MatMul(z, other)\nloss = Mean(Square(a - b), [0, 1])`,
      'a loss, b loss; ',
    ],
    [
      'twins by a distance',
      `${PAIR}d = Sum(Square(a - b), [1])\nloss = Mean(number * d, [0])`,
      'a loss compared, b loss compared; number',
    ],
    [
      'sums of other numbers of tensors',
      `a = AddN(MatMul(x, w), MatMul(x, other))[N=2]\nb = AddN(MatMul(z, w))[N=1]\nd = Sum(Square(a - b), [1])\nloss = Mean(number * d, [0])`,
      'd loss compared; number',
    ],
    ['data alone', 'd = Sum(Square(Relu(x) - Relu(z)), [1])\nloss = Mean(number * d, [0])', '; '],
    [
      'a threshold that is trained',
      `${H}p = Greater(h, VariableV2[shape=[3]])\nloss = Mean(Square(Cast(p)[SrcT=bool, DstT=float] - label), [0, 1])`,
      'p loss compared; label',
    ],
    [
      'the same slice of data',
      `p = MatMul(x, six)\nt = Slice(Placeholder[shape=[?, 6]], [0, 0], [-1, 3])\nloss = Mean(Square(Slice(p, [0, 0], [-1, 3]) - t), [0, 1])`,
      'p loss compared; t',
    ],
  ])('%s', (_, text, predictions) => expect(found(text)).toBe(predictions));

  it.each([
    ['a number', '2.0', 'h loss compared; label'],
    ['a number that is trained', 'VariableV2[shape=[]]', 'p loss compared; label'],
    ['a vector', '[1.0, 2.0, 3.0]', 'p loss compared; label'],
  ])('of logits that %s scales for one of two losses', (_, factor, predictions) => {
    for (const p of [`h * ${factor}`, `${factor} * h`])
      expect(found(`${H}p = ${p}\n${crossEntropy('p')}${crossEntropy('h')}`)).toBe(predictions);
  });

  it('logits that a number scales for the only loss', () => {
    expect(found(`${H}p = h * 2.0\n${crossEntropy('p')}`)).toBe('p loss compared; label');
  });

  it.each([
    [
      'divided by the norm of another',
      'g = MatMul(x, other)\np = h * Rsqrt(Sum(Square(g), [1])[keep_dims=true])\nloss = Mean(Square(p), [0, 1])',
      'g loss, h loss; ',
    ],
    ['added to its root', 'p = h + Sqrt(Square(h) + 1.0)\nloss = Mean(p, [0, 1])', 'h loss; '],
    ['in LogSoftmax', 'loss = Mean(LogSoftmax(h), [0, 1])', 'h loss; '],
    ['in Softplus and by itself', 'loss = Mean(Softplus(h) - h, [0, 1])', 'h loss; '],
  ])('a tensor %s', (_, text, predictions) => expect(found(H + text)).toBe(predictions));

  it.each([
    ['of a mean', 'p = Softmax(Reshape(MatMul(x, six), [-1, 2, 3]))\nq = Mean(p, [1])', 'p loss compared; label'],
    ['of a square that is taken off', 'p = Sigmoid(MatMul(x, w))\nq = 1.0 - Square(p)', 'p loss compared; label'],
    ['of a product of two', 'p = Sigmoid(MatMul(x, w))\nq = p * Sigmoid(MatMul(x, other))', 'q loss compared; label'],
  ])('a logarithm %s', (_, text, predictions) => {
    expect(found(`${text}\nloss = Neg(Mean(label * Log(q), [0, 1]))`)).toBe(predictions);
  });

  it('parts of two tensors that are combined', () => {
    const parts =
      'a = Slice(p, [0, 0], [-1, 3]), b = Slice(q, [0, 3], [-1, 3])\nc = Slice(p, [0, 3], [-1, 3]), d = Slice(q, [0, 0], [-1, 3])\n';
    const text = `p = MatMul(x, six), q = MatMul(z, six)\n${parts}s = Sigmoid(a) * b\nt = c * d\n`;
    const loss = 'loss = Mean(Square(s - label), [0, 1]) + Mean(Square(t - label), [0, 1])';
    expect(found(text + loss)).toBe('s loss compared, t loss compared; label');
  });
});

describe('a chain of ops of a loss is followed for ten ops', () => {
  const chain = (n: number, from: string) =>
    Array.from({ length: n }, (_, i) => `e${i + 1} = Square(${i === 0 ? from : `e${i}`})`).join('\n');
  it('from an error of each example', () => {
    const text = (n: number) => `${AUTO}d = x - c\n${chain(n, 'd')}`;
    expect(found(text(9))).toBe('c loss compared; x');
    expect(found(text(10))).toBe('e10 nothing; ');
  });

  it('from a distance', () => {
    const text = (n: number) => `${PAIR}d = a - b\n${chain(n, 'd')}\nloss = Mean(Sum(e${n} * label, [1]), [0])`;
    expect(found(text(9))).toBe('a loss compared, b loss compared; label');
    expect(found(text(10))).toBe('e10 loss compared; label');
  });
});
