import { describe, expect, it } from 'vitest';
import { rankPredictions } from '../../../../src/analysis/training/outputs/ranking.js';
import { parseGraph } from '../../../../src/notation/parse.js';
import { dataText } from '../../../support/data_text.js';

const GIVEN = `
  x = Placeholder[shape=[?, 8]]
  z = Placeholder[shape=[?, 8]]
  label = Placeholder[shape=[?, 3]]
  class = Placeholder[int32, shape=[?]]
  w = VariableV2[shape=[8, 3]]
  other = VariableV2[shape=[8, 3]]
  square = VariableV2[shape=[8, 8]]
  grad = Placeholder[shape=[8, 3]]
`;

/** The tensors in which a net ends, with what reads them or why they are no outputs; and whether they belong to one net. */
function ranked(text: string, absent?: string) {
  const { ranked: found, isOneNet } = rankPredictions(parseGraph(GIVEN + text), (name) => name !== absent);
  const lines = found.map(({ node, reader, demotion }) => `${node.name}: ${demotion ? dataText(demotion) : reader}`);
  return isOneNet ? lines.sort() : [...lines.sort(), 'several nets'];
}

/** A loop that applies a layer until a counter is 5; `state` is its result. */
const LOOP = `
  i0 = Enter(0)[frame_name=f], s0 = Enter(x)[frame_name=f]
  weights = Enter(square)[frame_name=f, is_constant=true]
  i = Merge(i0, i2)[N=2], s = Merge(s0, s2)[N=2]
  limit = Enter(5)[frame_name=f, is_constant=true]
  go = LoopCond(Less(i, limit))
  i1 = Switch(i, go), s1 = Switch(s, go)
  one = Const[int32, value=1]
  i2 = NextIteration(Add(i1:1, Enter(one)[frame_name=f, is_constant=true]))
  next = Tanh(MatMul(s1:1, weights))
  s2 = NextIteration(next)
  state = Exit(s1)
`;
const STEP = 'step = ApplyGradientDescent(w, 0.1, grad)\n';
const H = 'h = MatMul(x, w)\n';
const G = 'g = MatMul(x, other)\n';
const USED = 'y = MatMul(state, w)\n';
const loss = (p: string) => `loss = Mean(Square(${p} - label), [0, 1])`;
const crossEntropy = 'loss = Mean(SparseSoftmaxCrossEntropyWithLogits(h, class), [0])';

describe('the result of a loop', () => {
  it.each([
    ['is an output', LOOP, ['state: nothing']],
    ['is a state where the net goes on without it', `${LOOP}y = MatMul(x, w)`, ['state: loop_state', 'y: nothing']],
    [
      'is a state where it is only moved',
      `${LOOP}t = Reshape(state, [-1, 2, 4])\ny = MatMul(x, w)`,
      ['t: loop_state', 'y: nothing'],
    ],
    [
      'is a state in parts, beside a layer',
      `${LOOP}${USED}t = Slice(state, [0, 0], [-1, 4])`,
      ['t: loop_state', 'y: nothing'],
    ],
    ['is none with an activation', `${LOOP}${USED}t = Relu(state)`, ['t: nothing', 'y: nothing']],
    [
      'is none in a loss',
      `${LOOP}y = MatMul(x, w)\nloss = Mean(Square(state - z), [0, 1])`,
      ['state: loss', 'y: nothing'],
    ],
    [
      'is an output where only such results are left',
      `${LOOP}t = Transpose(Identity(state), [1, 0])\nu = Identity(state, ^x)`,
      ['t: nothing', 'u: nothing'],
    ],
    [
      'comes before a first step with the same weights',
      `${LOOP}${USED}first = Tanh(MatMul(x, square))`,
      ['first: first_step(of: y)', 'y: nothing'],
    ],
    [
      'does not come before a step with other data',
      `${LOOP}${USED}first = Tanh(MatMul(z, square))`,
      ['first: nothing', 'y: nothing'],
    ],
    [
      'does not come before a step with more weights',
      `${LOOP}${USED}first = Tanh(MatMul(x, square)) * VariableV2[shape=[8]]`,
      ['first: nothing', 'y: nothing'],
    ],
    [
      'does not come before a step with more data',
      `${LOOP}${USED}first = Tanh(MatMul(x, square) + MatMul(z, square))`,
      ['first: nothing', 'y: nothing'],
    ],
    [
      'does not come before a step with other weights',
      `${LOOP}${USED}first = Tanh(MatMul(x, other))`,
      ['first: nothing', 'y: nothing'],
    ],
  ])('%s', (_, text, lines) => expect(ranked(text)).toEqual(lines));
});

describe('the results of a loop alone', () => {
  it('are its sequence, not the state as it is', () => {
    const text = `${LOOP}t = Transpose(Identity(state), [1, 0])\nlast = Exit(s1)`;
    expect(ranked(text)).toEqual(['last: loop_state', 't: nothing']);
  });
});

describe('weights', () => {
  it.each([
    [
      'copied from trained ones are of no output',
      `${H}${G}${STEP}sync = Assign(other, w)`,
      ['g: copied_weights', 'h: nothing'],
    ],
    [
      'copied in part neither',
      `${H}${G}${STEP}sync = Assign(other, w * 0.01 + other * 0.99)`,
      ['g: copied_weights', 'h: nothing'],
    ],
    ['copied where nothing trains neither', `${H}${G}sync = Assign(other, w)`, ['g: copied_weights', 'h: nothing']],
    [
      'that decay are, where nothing trains',
      `${H}${G}sync = Assign(other, other * 0.99)`,
      ['g: nothing', 'h: nothing'],
    ],
    ['that decay are', `${H}${G}${STEP}sync = Assign(other, other * 0.99)`, ['g: nothing', 'h: nothing']],
    [
      'copied from untrained ones are',
      `${H}${G}${STEP}sync = Assign(other, VariableV2[shape=[8, 3]])`,
      ['g: nothing', 'h: nothing'],
    ],
    ['set to data are', `${H}${G}${STEP}sync = Assign(other, grad)`, ['g: nothing', 'h: nothing']],
    [
      'that are trained as well are',
      `${H}${G}${STEP}more = ApplyGradientDescent(other, 0.1, grad)\nsync = Assign(other, w)`,
      ['g: nothing', 'h: nothing'],
    ],
  ])('%s', (_, text, lines) => expect(ranked(text)).toEqual(lines));

  it('that the checkpoint lacks are of no output, if there are others', () => {
    expect(ranked(H + G, 'other')).toEqual(['g: not_in_checkpoint(variable: other)', 'h: nothing']);
    expect(ranked(H, 'w')).toEqual(['h: nothing']);
  });
});

describe('a tensor in a summary', () => {
  const shown = (p: string) => `s = HistogramSummary("p", ${p})\n`;
  it.each([
    ['is no output beside another', `${H}${G}${shown('g')}`, ['g: shown', 'h: nothing']],
    ['is one alone', `${G}${shown('g')}`, ['g: summary']],
    [
      'is one if another is on the way to it',
      `${H}p = Softmax(h)\n${shown('p')}${crossEntropy}`,
      ['h: on_the_way(to: p)', 'p: summary'],
    ],
  ])('%s', (_, text, lines) => expect(ranked(text)).toEqual(lines));
});

describe('a net that a loss reads', () => {
  const copy = 'a = MatMul(x, w)\np = MatMul(z, w)\n';
  it.each([
    [
      'is a copy for training of one with the same weights',
      `${copy}${loss('p')}`,
      ['a: nothing', 'p: training_copy(of: a)'],
    ],
    [
      'also of one with moving statistics',
      `a = MatMul(x, w) - VariableV2[shape=[3]]\np = MatMul(z, w)\n${loss('p')}`,
      ['a: nothing', 'p: training_copy(of: a)'],
    ],
    [
      'of none with more weights that are trained',
      `more = ApplyGradientDescent(other, 0.1, grad)\na = MatMul(x, w) + MatMul(x, other)\np = MatMul(z, w)\n${loss('p')}`,
      ['a: nothing', 'p: loss'],
    ],
    [
      'of none with fewer weights',
      `a = MatMul(x, w)\np = MatMul(z, w) + MatMul(z, other)\n${loss('p')}`,
      ['a: nothing', 'p: loss'],
    ],
    [
      'of none that shares a tensor with it',
      `t = MatMul(x, square)\na = MatMul(t, w)\np = Tanh(MatMul(t, w))\n${loss('p')}`,
      ['a: nothing', 'p: loss'],
    ],
    [
      'is no candidate if it feeds a result',
      `${H}y = MatMul(h, VariableV2[shape=[3, 2]])\n${loss('h')}`,
      ['y: nothing'],
    ],
  ])('%s', (_, text, lines) => expect(ranked(text)).toEqual(lines));

  it('that depends on nothing but labels is no output', () => {
    const centre = 'centre = Relu(GatherV2(other, class, 0)) * VariableV2[shape=[3]]\n';
    expect(ranked(`${H}${centre}${crossEntropy}\nreg = Mean(Square(centre), [0, 1])`)).toEqual([
      'centre: of_labels',
      'h: loss',
    ]);
  });
});

describe('the same op', () => {
  it.each([
    [
      'of the same tensor is one output: the last',
      `${H}p = Softmax(h)\nq = Softmax(h)`,
      ['p: same_as(of: q)', 'q: nothing'],
    ],
    [
      'is one that nothing reads',
      `${H}p = Softmax(h)\nq = Softmax(h)\n${loss('q')}`,
      ['p: nothing', 'q: same_as(of: p)'],
    ],
    [
      'with other attrs is another',
      'i = Placeholder[shape=[?, 8, 8, 2]]\nk = VariableV2[shape=[1, 1, 2, 2]]\nc = Conv2D(i, k)\np = MaxPool(c)[ksize=[1, 2, 2, 1]]\nq = MaxPool(c)[ksize=[1, 4, 4, 1]]',
      ['p: nothing', 'q: nothing'],
    ],
    ['of another tensor is another', `${H}${G}p = Softmax(h)\nq = Softmax(g)`, ['p: nothing', 'q: nothing']],
    [
      'with other devices and classes is the same',
      `${H}p = Softmax(h)\nq = Softmax(h)[_class=["loc:@p"]]`,
      ['p: same_as(of: q)', 'q: nothing'],
    ],
  ])('%s', (_, text, lines) => expect(ranked(text)).toEqual(lines));
});

describe('a tensor without an axis of examples', () => {
  const vector = (v: string, of: string) => `${v} = Reshape(MatMul(Slice(x, [0, 0], [1, 8]), ${of}), [3])\n`;
  it.each([
    [
      'is no output beside one that has it',
      `${H}p = Softmax(h)\n${vector('v', 'other')}`,
      ['p: nothing', 'v: statistics'],
    ],
    [
      'is one if its size of one example is fixed',
      `${H}p = Softmax(h)\nv = MatMul(Slice(x, [0, 0], [1, 8]), other)`,
      ['p: nothing', 'v: nothing'],
    ],
    ['is one beside others', `${vector('v', 'other')}${vector('u', 'w')}`, ['u: nothing', 'v: nothing']],
    [
      'may have it if its size is unknown',
      `${H}${vector('v', 'other').replace('[1, 8]', '[-1, 8]').replace('[3]', '[-1]')}`,
      ['h: nothing', 'v: nothing'],
    ],
  ])('%s', (_, text, lines) => expect(ranked(text)).toEqual(lines));
});

describe('outputs belong to one net', () => {
  const k = 'k = VariableV2[shape=[3, 3]]\n';
  it.each([
    ['by their data', `${H}${G}`, ['g: nothing', 'h: nothing']],
    ['by their weights', `${H}g = MatMul(z, w)`, ['g: nothing', 'h: nothing']],
    ['not if they share nothing', `${H}g = MatMul(z, other)`, ['g: nothing', 'h: nothing', 'several nets']],
    [
      'by what a third one shares with each',
      `${H}g = MatMul(z, other)\n${k}f = MatMul(h, k) + MatMul(g, k)\n${loss('f')}\na = MatMul(x, w) * 2.0\nb = Tanh(MatMul(z, other))`,
      ['a: nothing', 'b: nothing', 'f: loss'],
    ],
    [
      'not if some of them need the classes of a loss',
      `c = OneHot(class, 3, 1.0, 0.0)\ny = MatMul(ConcatV2(x, c, 1)[N=2], VariableV2[shape=[11, 8]])\n${H}${crossEntropy}`,
      ['h: loss', 'y: nothing', 'several nets'],
    ],
  ])('%s', (_, text, lines) => expect(ranked(text)).toEqual(lines));
});
