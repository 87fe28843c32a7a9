import { describe, expect, it } from 'vitest';
import { findUpdates } from '../../../src/analysis/state/moving_averages.js';
import { findVariables } from '../../../src/analysis/state/variables.js';
import { findActivations } from '../../../src/analysis/training/activations.js';
import { findUnfused } from '../../../src/analysis/training/unfused.js';
import { Shapes } from '../../../src/analysis/values/shapes.js';
import { refText, type TensorRef } from '../../../src/graph/node.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';

const GIVEN = `
  x = Placeholder[shape=[?, 2]]
  z = Placeholder[shape=[?, 2]]
  image = Placeholder[shape=[?, 4, 4, 2]]
  gamma = VariableV2[shape=[2]]
  beta = VariableV2[shape=[2]]
  mm = VariableV2[shape=[2]]
  mv = VariableV2[shape=[2]]
`;

/** The batch norms of a graph: the root, the activation, what carries the variance, what carries the mean, scale and offset. */
function normsIn(text: string): string[] {
  const graph = parseGraph(GIVEN + text);
  const activations = findActivations(graph);
  const { averages } = findUpdates(graph, findVariables(modelOf(graph)), activations);
  const names = (refs: readonly TensorRef[]) => refs.map(refText).join(' ') || 'none';
  return findUnfused(graph, new Shapes(graph), activations, averages).map(
    ({ name, x, variance, mean, parameters }) =>
      `${name} of ${refText(x)}: ${names(variance)}; ${names(mean)}; ${names(parameters)}`,
  );
}

const MEAN = 'm = Mean(x, [0])\n';
const MOMENTS = `${MEAN}v = Mean(SquaredDifference(x, m), [0])\n`;
const Y = 'y = (x - m) * r';

describe('an unfused batch norm', () => {
  it.each([
    ['has scale and offset', `${MOMENTS}r = Rsqrt(v + 0.001)\n${Y} * gamma + beta`, 'r of x: v; m; gamma beta'],
    ['may limit the variance', `${MOMENTS}r = Rsqrt(Maximum(v, 0.001))\n${Y}`, 'r of x: v; m; none'],
    [
      'may clip a difference',
      `${MEAN}u = Mean(Square(x), [0]) - Square(m)\nv = Relu(u)\nr = Rsqrt(v + 0.001)\n${Y}`,
      'r of x: v u; m; none',
    ],
    ['may scale variance and epsilon', `${MOMENTS}r = Rsqrt((v + 0.001) * gamma)\n${Y}`, 'r of x: v; m; none'],
    ['may scale the variance', `${MOMENTS}s = v * 2.0\nr = Rsqrt(s + 0.001)\n${Y}`, 'r of x: s v; m; none'],
    ['may have the root of a reciprocal', `${MOMENTS}r = Sqrt(Reciprocal(v + 0.001))\n${Y}`, 'r of x: v; m; none'],
    ['may have the root of a quotient', `${MOMENTS}r = Sqrt(1.0 / (v + 0.001))\n${Y}`, 'r of x: v; m; none'],
    ['may have no epsilon', `${MOMENTS}r = Sqrt(v)\ny = (x - m) / r`, 'r of x: v; m; none'],
    [
      'may add epsilon to the root',
      `${MOMENTS}r = Sqrt(v)\ne = Const[float, value=0.001]\ny = (x - m) / (r + e)`,
      'r of x: v; m; e',
    ],
    ['may have a power as root', `${MOMENTS}r = Pow(v + 0.001, -0.5)\n${Y}`, 'r of x: v; m; none'],
    [
      'may have statistics in another shape',
      `n = Mean(x, [0])\nm = Reshape(n, [1, 2])\nu = Mean(SquaredDifference(x, m), [0])\nv = Reshape(u, [1, 2])\nr = Rsqrt(v + 0.001)\n${Y}`,
      'r of x: v u; n m; none',
    ],
    [
      'may squeeze both',
      `k = Mean(image, [0, 1, 2])[keep_dims=true]\ns = StopGradient(k)\nq = Mean(SquaredDifference(image, s), [0, 1, 2])[keep_dims=true]\nm = Squeeze(k), v = Squeeze(q)\nr = Rsqrt(v + 0.001)\ny = (image - m) * r`,
      'r of image: v q; k s m; none',
    ],
    [
      'may compute in another dtype',
      `d = Cast(x)[SrcT=float, DstT=double]\nn = Mean(d, [0])\nu = Mean(SquaredDifference(d, n), [0])\nm = Cast(n)[SrcT=double, DstT=float], v = Cast(u)[SrcT=double, DstT=float]\nr = Rsqrt(v + 0.001)\n${Y}`,
      'r of x: v u; n m; none',
    ],
    [
      'may multiply the activation by itself',
      `${MEAN}v = Mean(x * x, [0]) - m * m\nr = Rsqrt(v + 0.001)\n${Y}`,
      'r of x: v; m; none',
    ],
    [
      'may raise a difference to a power',
      `${MEAN}v = Mean(Pow(x - m, 2.0), [0])\nr = Rsqrt(v + 0.001)\n${Y}`,
      'r of x: v; m; none',
    ],
    [
      'may take a shift off the activation, and add it to the mean',
      `d = x - mm\nn = Mean(d, [0])\nv = Mean(Square(d), [0]) - Square(n)\nm = n + mm\nAssignSub(mm, (mm - m) * 0.1)\nr = Rsqrt(v + 0.001)\n${Y}`,
      'r of x: v; m; none',
    ],
    [
      'may have statistics of a part',
      `p = Slice(x, [0, 0], [4, 2])\nm = Mean(p, [0])\nv = Mean(SquaredDifference(p, m), [0])\nr = Rsqrt(v + 0.001)\n${Y}`,
      'r of p: v; m; none',
    ],
    [
      'has the root as statistic if a variable averages it',
      `${MOMENTS}r = Sqrt(v + 0.001)\nAssignSub(mv, (mv - r) * 0.1)\nAssignSub(mm, (mm - m) * 0.1)\ny = (x - m) / r`,
      'r of x: r; m; mv AssignSub/Const',
    ],
    [
      'has the reciprocal as statistic if a variable averages it',
      `${MOMENTS}i = 1.0 / (v + 0.001)\nAssignSub(mv, (mv - i) * 0.1)\nAssignSub(mm, (mm - m) * 0.1)\nr = Sqrt(i)\n${Y}`,
      'r of x: i i/AddV2; m; none',
    ],
    [
      'may shift by an averaged multiple of the mean',
      `${MEAN}k = m * 1.0\nAssignSub(mm, (mm - k) * 0.1)\nv = Mean(SquaredDifference(x, k), [0])\nr = Rsqrt(v + 0.001)\ny = (x - k) * r`,
      'r of x: v; k m; none',
    ],
    [
      'may scale sums',
      `s = Sum(x, [0])\nm = s * gamma\nq = Sum(SquaredDifference(x, m), [0])\nv = q * gamma\nr = Rsqrt(v + 0.001)\n${Y}`,
      'r of x: v q; s m; none',
    ],
    [
      'may normalise a biased activation',
      `c = BiasAdd(x, beta)\nm = Mean(c, [0])\nv = Mean(SquaredDifference(c, m), [0])\nr = Rsqrt(v + 0.001)\ny = (c - m) * r * gamma`,
      'r of c: v; m; gamma',
    ],
    ['may bias what it normalises', `${MOMENTS}r = Rsqrt(v + 0.001)\ny = BiasAdd(x, beta) * r`, 'r of x: v; m; none'],
    ['may have a scale from other data', `${MOMENTS}r = Rsqrt(v + 0.001)\ny = x * (r * z) - m`, 'r of x: v; m; none'],
  ])('%s', (_, text, norm) => expect(normsIn(text)).toEqual([norm]));

  it.each([
    ['a root that scales something else', `${MOMENTS}r = Rsqrt(v + 0.001)\ny = z * r`],
    ['another power', `${MOMENTS}r = Pow(v + 0.001, -0.4)\n${Y}`],
    ['an unknown power', `${MOMENTS}r = Pow(v + 0.001, gamma)\n${Y}`],
    [
      'a normalisation of each example',
      'm = Mean(x, [1])[keep_dims=true]\nv = Mean(SquaredDifference(x, m), [1])[keep_dims=true]\nr = Rsqrt(v + 0.001)\ny = (x - m) * r',
    ],
    [
      'a variance that a flag chooses',
      `t = Placeholder[bool, shape=[]]\n${MOMENTS}s = Switch(v, t)\nk = Merge(s:1, Identity(mv))[N=2]\nr = Rsqrt(k + 0.001)\n${Y}`,
    ],
    [
      'a root that is combined with the activation first',
      `${MOMENTS}r = Rsqrt(v + 0.001)\ny = Relu(x) * (r * Sigmoid(x))`,
    ],
    ['a root of the activation', 'r = Rsqrt(x)\ny = x * r'],
    ['a root of a weight', 'r = Rsqrt(gamma)\ny = x * r'],
  ])('is not %s', (_, text) => expect(normsIn(text)).toEqual([]));

  it('shares its statistics with another, but no scale', () => {
    const text = `${MOMENTS}r = Rsqrt(v + 0.001)\nq = Rsqrt(v + 0.1)\na = (x - m) * r * gamma\nb = (x - m) * q * beta`;
    expect(normsIn(text)).toEqual(['r of x: v; m; gamma', 'q of x: v; m; beta']);
  });

  it('has no scale of the next one', () => {
    const text = `${MOMENTS}r = Rsqrt(v + 0.001)\nh = (x - m) * r\nn = Mean(h, [0])\nu = Mean(SquaredDifference(h, n), [0])\nt = Rsqrt(u + 0.001)\ny = (h - n) * t * gamma`;
    expect(normsIn(text)).toEqual(['r of x: v; m; none', 't of h: u; n; gamma']);
  });

  it('has its scale within four ops', () => {
    const steps = (n: number) => Array.from({ length: n }, (_, i) => `s${i + 1} = Reshape(s${i}, [-1, 2])\n`).join('');
    const text = (n: number) => `${MOMENTS}r = Rsqrt(v + 0.001)\ns0 = (x - m) * r\n${steps(n)}y = s${n} * gamma`;
    expect(normsIn(text(2))[0]).toMatch(/gamma$/);
    expect(normsIn(text(3))[0]).not.toMatch(/gamma$/);
  });
});
