import { describe, expect, it } from 'vitest';
import { findActivations } from '../../../src/analysis/training/activations.js';
import { SampledMoments } from '../../../src/analysis/training/sampled_moments.js';
import { findUnfused } from '../../../src/analysis/training/unfused.js';
import { Shapes } from '../../../src/analysis/values/shapes.js';
import { refText } from '../../../src/graph/node.js';
import { parseGraph } from '../../../src/notation/parse.js';

const GIVEN = `
  x = Placeholder[shape=[?, 2]]
  z = Placeholder[shape=[?, 2]]
  four = Placeholder[shape=[4, 2]]
  image = Placeholder[shape=[2, 3, 3, 2]]
  weight = VariableV2[shape=[2]]
`;

/** What is the mean and the variance of the first batch norm of a graph. */
function momentsIn(text: string) {
  const graph = parseGraph(GIVEN + text);
  const shapes = new Shapes(graph);
  const [pattern] = findUnfused(graph, shapes, findActivations(graph), new Map());
  const { mean, variance } = new SampledMoments(graph, shapes).of(pattern!);
  return `${mean.map(refText).sort().join(' ')}; ${variance.map(refText).sort().join(' ')}`;
}

/** Mean m and variance v of a tensor. */
const of = (x: string) => `m = Mean(${x}, [0])\nv = Mean(SquaredDifference(${x}, m), [0])\n`;
const NORM = 'y = (x - m) * Rsqrt(v + 0.001)';

describe('the mean and the variance of a batch norm', () => {
  it.each([
    ['as tf.nn.moments computes them', `${of('x')}${NORM}`, 'm; v'],
    ['from the second moment', `m = Mean(x, [0])\nv = Mean(Square(x), [0]) - Square(m)\n${NORM}`, 'm; v'],
    [
      'in another shape',
      `${of('x')}k = Reshape(m, [1, 2])\ns = Identity(v)\ny = (x - k) * Rsqrt(s + 0.001)`,
      'k m; s v',
    ],
    ['twice', `${of('x')}n = Mean(x, [0])\ny = (x - n) * Rsqrt(v + 0.001)`, 'm n; v'],
    [
      'of an image',
      'm = Mean(image, [0, 1, 2])\nv = Mean(SquaredDifference(image, m), [0, 1, 2])\ny = (image - m) * Rsqrt(v + 0.001)',
      'm; v',
    ],
  ])('%s', (_, text, moments) => expect(momentsIn(text)).toBe(moments));

  it.each([
    ['its size', 'n = Cast(StridedSlice(Shape(x), [0], [1], [1])[shrink_axis_mask=1])[SrcT=int32, DstT=float]'],
    ['any number', 'n = Const[float, value=32.0]'],
    ['another variable', 'n = VariableV2[shape=[]]'],
  ])('by sums over a batch of unknown size, divided by %s', (_, n) => {
    const text = `${n}\nm = Sum(x, [0]) / n\nv = Sum(SquaredDifference(x, m), [0]) / n\n${NORM}`;
    expect(momentsIn(text)).toBe('m; v');
  });

  it('by sums that are scaled after a change of shape', () => {
    const text = `s = Reshape(Sum(x, [0]), [1, 2])\nm = s * 0.03125\nq = Sum(SquaredDifference(x, m), [0])\nv = q * 0.03125\n${NORM}`;
    expect(momentsIn(text)).toBe('m; v');
  });

  it.each([
    ['its size', 4, 4, 'm; v'],
    ["its size, with Bessel's correction", 4, 3, 'm; v'],
    ['less', 4, 2, '; '],
    ['more', 4, 5, '; '],
    ['a mean of another size', 3, 4, '; '],
  ])('by sums over a batch of known size, divided by %s', (_, n, k, moments) => {
    const text = `m = Sum(four, [0]) / ${n}.0\nv = Sum(SquaredDifference(four, m), [0]) / ${k}.0\ny = (four - m) * Rsqrt(v + 0.001)`;
    expect(momentsIn(text)).toBe(moments);
  });

  it("with Bessel's correction for a number of examples and positions", () => {
    const moments = 'm = Mean(image, [0, -3, 2])\nv = Mean(SquaredDifference(image, m), [0, 1, 2])\n';
    const norm = (factor: string) => `${moments}c = v * ${factor}\ny = (image - m) * Rsqrt(c + 0.001)`;
    expect(momentsIn(norm(`(18.0 / 17.0)`))).toBe('m; c v');
    expect(momentsIn(norm(`(17.0 / 18.0)`))).toBe('m; v');
    expect(momentsIn(norm(`(3.0 / 2.0)`))).toBe('m; v');
  });

  it.each([
    ['1.3333333333333333', true, '4 examples'],
    ['1.032258064516129', true, '32'],
    ['1.0039215686274510', true, '256'],
    ['1.5', false, '3 are too few'],
    ['2.0', false, '2 are too few'],
    ['1.1', false, 'a short decimal'],
    ['1.05', false, 'a short decimal'],
    ['1.0322', false, 'no n / (n - 1)'],
    ['1.37142857', false, 'no n / (n - 1)'],
    ['0.96875', false, 'less than 1'],
  ])('of unknown size, with a correction by %s: %s (%s)', (factor, isCorrection) => {
    const text = `${of('x')}c = v * Const[double, value=${factor}]\ny = (x - m) * Rsqrt(c + 0.001)`;
    expect(momentsIn(text)).toBe(isCorrection ? 'm; c v' : 'm; v');
  });

  it.each([
    ['a multiple of the mean', 's = m * 0.9'],
    ['the mean times a weight', 's = m * weight'],
    ['the mean plus a small constant', 's = m + 0.00001'],
    ['the mean times that of other data', 's = m * Mean(z, [0])'],
    ['the mean divided by that of other data', 's = m / Mean(z, [0])'],
    ['the mean plus what other data is off its mean', 's = m + Mean(z - 1.0, [0])'],
    ['a function of the mean', 's = Tanh(m)'],
    ['the mean of what other data weights', 's = Mean(x * z, [0])'],
    ['a product of matrices', 's = MatMul(m, [[1.0, 0.0], [0.0, 1.0]])'],
    ['its difference from each example', 's = m - x'],
  ])('are not %s', (_, other) => {
    expect(momentsIn(`${of('x')}${other}\ny = x * Rsqrt(v + 0.001) - s * Rsqrt(v + 0.001)`)).toBe('m; v');
  });

  it.each([
    ['variance and epsilon', 's = v + 0.001'],
    ['its root', 's = Sqrt(v)'],
    ['its logarithm', 's = Log(v)'],
    ['twice the variance', 's = v * 2.0'],
    ['the second moment', 's = Mean(Square(x), [0])'],
    ['the variance times the mean of other data', 's = v * Mean(z, [0])'],
  ])('nor %s', (_, other) => {
    expect(momentsIn(`${of('x')}${other}\ny = (x - m) * Rsqrt(v + 0.001) * s`)).toBe('m; v');
  });

  it('are those with weights that add up to what divides them', () => {
    const weights = 'w = Sigmoid(z)\nn = Sum(w, [0])\n';
    const text = `m = Sum(x * w, [0]) / n\nv = Sum(SquaredDifference(x, m) * w, [0]) / n\n`;
    expect(momentsIn(`${weights}${text}${NORM}`)).toBe('m; v');
  });

  it('are those of a part of the batch', () => {
    expect(momentsIn(`part = Slice(x, [0, 0], [8, -1])\n${of('part')}${NORM}`)).toBe('m; v');
  });

  it('are averages over other axes first', () => {
    const text = `h = Mean(image, [1, 2])\nm = Mean(h, [0])\nq = Mean(Square(image), [1, 2])\nv = Mean(q, [0]) - Square(m)\ny = (image - m) * Rsqrt(v + 0.001)`;
    expect(momentsIn(text)).toBe('m; v');
  });

  it('are not found where the mean is of one activation and the variance of another', () => {
    const text = `m = Mean(z, [0])\nn = Mean(x, [0])\nv = Mean(Square(x), [0]) - Square(m)\ny = (x - m) * Rsqrt(v + 0.001)`;
    expect(momentsIn(text)).toBe('; ');
  });

  it('are the first of many that are computed from the reductions', () => {
    const many = Array.from({ length: 80 }, (_, i) => `s${i} = m * ${i + 2}.0`).join('\n');
    expect(momentsIn(`${of('x')}${many}\n${NORM}`)).toBe('m; v');
  });
});
