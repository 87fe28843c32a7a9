import { describe, expect, it } from 'vitest';
import { rankPredictions } from '../../../../src/analysis/training/outputs/ranking.js';
import { parseGraph } from '../../../../src/notation/parse.js';

const GIVEN = `
  noise = Placeholder[shape=[?, 4]]
  x = Placeholder[shape=[?, 8]]
  a = Placeholder[shape=[?, 8]]
  class = Placeholder[int32, shape=[?]]
  number = Placeholder[shape=[?, 1]]
  gen = VariableV2[shape=[4, 8]]
  disc = VariableV2[shape=[8, 1]]
  square = VariableV2[shape=[8, 8]]
  more = VariableV2[shape=[8, 8]]
  genGradient = Placeholder[shape=[4, 8]]
  discGradient = Placeholder[shape=[8, 1]]
  squareGradient = Placeholder[shape=[8, 8]]
`;

/** Outputs, with what reads them, and tensors that are about generated data. */
function found(text: string): string {
  const { ranked } = rankPredictions(parseGraph(GIVEN + text), () => true);
  const lines = ranked.map(({ node, reader, demotion }) => `${node.name} ${demotion?.code ?? reader}`);
  return lines.sort().join(', ');
}

const MADE = 'made = Tanh(MatMul(noise, gen))\n';
const SCORES = 'real_score = MatMul(x, disc)\nmade_score = MatMul(made, disc)\n';
const LOSS = 'loss = Mean(real_score, [0, 1]) - Mean(made_score, [0, 1])\n';
const FOUND = 'made discriminator, made_score critic, real_score critic';
const ALONE = `${MADE}made_score = MatMul(made, disc)\nloss = Mean(made_score, [0, 1])\n`;
const STEPS = 'd = ApplyGradientDescent(disc, 0.1, discGradient)\ng = ApplyGradientDescent(gen, 0.1, genGradient)\n';
const TRAINED = 'step = ApplyGradientDescent(gen, 0.1, genGradient)\n';
const FEATURES = `${MADE}fr = Relu(MatMul(x, square))\nfm = Relu(MatMul(made, square))\n`;
const COMPARED = 'loss = Mean(Square(fr - fm), [0, 1])\n';

describe('a net that reads data, and what another net makes', () => {
  it.each([
    ['is a discriminator', MADE + SCORES + LOSS, FOUND],
    [
      'is a discriminator whose scores are compared with constants',
      `${MADE}${SCORES}loss = Mean(Square(real_score - 1.0) + Square(made_score), [0, 1])`,
      FOUND,
    ],
    ['is none if nothing reads its scores', MADE + SCORES, 'made_score nothing, real_score nothing'],
    [
      'is none with other weights',
      `${MADE}real_score = MatMul(x, disc)\nmade_score = MatMul(made, VariableV2[shape=[8, 1]])\n${LOSS}`,
      'made_score loss, real_score loss',
    ],
    [
      'is none if both are compared with labels',
      `${MADE}c = MatMul(x, square)\nd = MatMul(made, square)\nloss = Mean(SparseSoftmaxCrossEntropyWithLogits(c, class) + SparseSoftmaxCrossEntropyWithLogits(d, class), [0])`,
      'c loss, d loss',
    ],
    [
      'also where it adds noise',
      `${MADE}real_score = MatMul(x + RandomStandardNormal(Shape(x)), disc)\nmade_score = MatMul(made + RandomStandardNormal(Shape(made)), disc)\n${LOSS}`,
      FOUND,
    ],
    [
      'also where it flattens images',
      `made = Reshape(Tanh(MatMul(noise, gen)), [-1, 2, 4])\nimage = Placeholder[shape=[?, 2, 4]]\nreal_score = MatMul(Reshape(image, [-1, 8]), disc)\nmade_score = MatMul(Reshape(made, [-1, 8]), disc)\n${LOSS}`,
      FOUND,
    ],
    [
      'also where it reads a condition',
      `${MADE}cond = Placeholder[shape=[?, 2]]\nwide = VariableV2[shape=[10, 1]]\nreal_score = MatMul(ConcatV2(x, cond, 1)[N=2], wide)\nmade_score = MatMul(ConcatV2(made, cond, 1)[N=2], wide)\n${LOSS}`,
      FOUND,
    ],
    [
      'also where it reads a mixture of both',
      `${MADE}${SCORES}${LOSS}mixed = x + (made - x) * RandomUniform([])\nmixed_score = MatMul(mixed, disc)\npenalty = Mean(Square(mixed_score), [0, 1])`,
      'made discriminator, made_score critic, mixed_score critic, real_score critic',
    ],
    [
      'is not what else the generator makes',
      `hidden = Relu(MatMul(noise, gen))\nmade = Tanh(MatMul(hidden, square))\naux = MatMul(hidden, more)\n${SCORES}${LOSS}term = Mean(aux, [0, 1])`,
      `aux loss, ${FOUND}`,
    ],
    [
      'is not what the weights of the generator make',
      `${MADE}aux = MatMul(noise, gen)\n${SCORES}${LOSS}term = Mean(aux, [0, 1])`,
      `aux loss, ${FOUND}`,
    ],
    [
      'is not a recurrent net',
      'h1 = Tanh(MatMul(x, square))\nh2 = Tanh(MatMul(h1, square))\nloss = Mean(h2, [0, 1])',
      'h2 loss',
    ],
    [
      'is not a net that reads two inputs',
      'p = MatMul(x, square)\nq = MatMul(a, square)\nloss = Mean(Square(p - q), [0, 1])',
      'p loss, q loss',
    ],
    [
      'is a classifier where it has a label for data',
      `${MADE}h = MatMul(x, square)\n${SCORES}${LOSS}loss2 = Mean(SparseSoftmaxCrossEntropyWithLogits(h, class), [0])`,
      `h loss, ${FOUND}`,
    ],
    [
      'is every reader of data with its weights',
      `${MADE}${SCORES}${LOSS}again = MatMul(a, disc)\nterm = Mean(again, [0, 1])`,
      `again critic, ${FOUND}`,
    ],
    [
      'is not a reader of data with other weights, too',
      `${MADE}${SCORES}${LOSS}again = Relu(MatMul(a, disc) + MatMul(a, VariableV2[shape=[8, 1]])) * VariableV2[shape=[1]]\nterm = Mean(again, [0, 1])`,
      `again loss, ${FOUND}`,
    ],
    ['is not a reader that no loss reads', `${MADE}${SCORES}${LOSS}again = MatMul(a, disc)`, `again nothing, ${FOUND}`],
  ])('%s', (_, text, lines) => expect(found(text)).toBe(lines));
});

describe('a net that only reads what another net makes', () => {
  it.each([
    [
      'is a critic if an optimizer of its own trains it',
      `${ALONE}${STEPS}d_opt = NoOp(^d), g_opt = NoOp(^g)`,
      'made discriminator, made_score critic',
    ],
    ['is none if one optimizer trains both', `${ALONE}${STEPS}opt = NoOp(^d, ^g)`, 'made_score loss'],
    ['is none if nothing trains it', ALONE, 'made_score loss'],
    [
      'is none if its score has a label',
      `${MADE}made_score = MatMul(made, disc)\nloss = Mean(Square(made_score - number), [0, 1])\n${STEPS}d_opt = NoOp(^d), g_opt = NoOp(^g)`,
      'made_score loss',
    ],
    [
      'is a critic of actions, and labelled for data',
      `action = Tanh(MatMul(noise, gen))\nq = MatMul(action, disc)\nqd = MatMul(x, disc)\nloss = Neg(Mean(q, [0, 1]))\nloss2 = Mean(Square(qd - number), [0, 1])\n${STEPS}d_opt = NoOp(^d), g_opt = NoOp(^g)`,
      'action discriminator, q critic, qd loss',
    ],
    [
      'is one for each of two optimizers that begin in it',
      `${MADE}mid = Relu(MatMul(made, square))\nmade_score = MatMul(mid, disc)\nloss = Mean(made_score, [0, 1])\n${STEPS}s = ApplyGradientDescent(square, 0.1, squareGradient)\nd_opt = NoOp(^d, ^s), g_opt = NoOp(^g)`,
      'made discriminator, made_score critic',
    ],
  ])('%s', (_, text, lines) => expect(found(text)).toBe(lines));
});

describe('a net of features', () => {
  it.each([
    ['compares what is made with data', TRAINED + FEATURES + COMPARED, 'fm critic, fr critic, made discriminator'],
    [
      'is the net where what it makes has a label',
      `${TRAINED}${FEATURES}loss = Mean(Square(fm - a), [0, 1])`,
      'fm loss, fr nothing',
    ],
    [
      'is the net where nothing is compared',
      `${TRAINED}${FEATURES}one = Mean(Square(fm - a), [0, 1])\ntwo = Mean(Square(fr - Relu(a)), [0, 1])`,
      'fm loss, fr loss',
    ],
  ])('%s', (_, text, lines) => expect(found(text)).toBe(lines));
});

describe('two generators', () => {
  it('are both outputs where each makes what the other reads', () => {
    const text = `
      there = MatMul(x, square), back = MatMul(a, more)
      b = VariableV2[shape=[8, 1]]
      s1 = MatMul(a, disc), s2 = MatMul(there, disc), s3 = MatMul(x, b), s4 = MatMul(back, b)
      again = MatMul(there, more)
      loss = Mean(s1 + s2 + s3 + s4, [0, 1]) + Mean(Abs(again - x), [0, 1])`;
    expect(found(text)).toBe(
      'again critic, back discriminator, s1 critic, s2 critic, s3 critic, s4 critic, there discriminator',
    );
  });
});
