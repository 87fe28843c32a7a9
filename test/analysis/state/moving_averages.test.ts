import { describe, expect, it } from 'vitest';
import { findUpdates } from '../../../src/analysis/state/moving_averages.js';
import { findVariables } from '../../../src/analysis/state/variables.js';
import { findActivations } from '../../../src/analysis/training/activations.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';

const GIVEN = `
  x = Placeholder[shape=[?, 2]]
  v = VariableV2[shape=[2]], w = VariableV2[shape=[2]], table = VariableV2[shape=[3, 2]]
  step = VariableV2[int32, shape=[]]
  m = Mean(x, [0])
`;

function updatesOf(text: string) {
  const graph = parseGraph(GIVEN + text);
  return findUpdates(graph, findVariables(modelOf(graph)), findActivations(graph));
}

describe('the factor of a moving average', () => {
  const factorsOf = (text: string) =>
    [...updatesOf(text).averages].flatMap(([key, list]) =>
      list.map(({ variable, factor, isCarried }) => [variable.node, key, factor, isCarried]),
    );

  it("is Bessel's correction for a number of elements", () => {
    expect(factorsOf('u = AssignSub(v, (v - m * 1.125) * 0.1)')).toEqual([
      ['v', 'u/Mul_1', 1, false],
      ['v', 'm', 1.125, false],
    ]);
  });

  it.each([1.52, 0.65, -1, 0])('is none if the variable averages %s times the statistic', (factor) => {
    expect(factorsOf(`u = AssignSub(v, (v - m * ${factor.toFixed(2)}) * 0.1)`).map(([, key]) => key)).not.toContain(
      'm',
    );
  });

  it.each([
    ['a square', 'Square(m)'],
    ['a root', 'Sqrt(m)'],
    ['a sum with a constant', 'm + 1.0'],
    ['the part above a limit', 'Maximum(m, 1.0)'],
    ['the part below a limit', 'Minimum(m, 2.0)'],
  ])('is none if it averages %s of the statistic', (_, text) => {
    expect(factorsOf(`u = AssignSub(v, (v - ${text}) * 0.1)`).map(([, key]) => key)).not.toContain('m');
  });

  it('is 1 where an average that starts at 0 is corrected', () => {
    const text = `
      count = AssignAdd(step, 1)
      u = AssignSub(w, (w - m) * 0.1)
      c = Assign(v, u / (1.0 - Pow(0.9, Cast(count)[SrcT=int32, DstT=float])))`;
    expect(factorsOf(text)).toContainEqual(['v', 'm', 1, true]);
  });
});

describe('a mean of means', () => {
  const averagedIn = (mean: string) => [
    ...updatesOf(
      `z = Placeholder[shape=[4, 8, 2]]\nk = ${mean}\nn = Mean(k, [0])\nu = AssignSub(v, (v - n) * 0.1)`,
    ).averages.keys(),
  ];

  it.each([
    ['virtual batches', 'Mean(z, [0])', ['n', 'k']],
    ['virtual batches, reshaped', 'Reshape(Mean(z, [0]), [8, 2])', ['n', 'k', 'k/Mean']],
    ['axes that are known at run time', 'Mean(z, axes)', ['n', 'k']],
    ['pooled activations', 'Mean(z, [1])', ['n']],
    ['sums', 'Sum(z, [0])', ['n']],
  ])('is an average of what it averages, if that is a statistic: %s', (_, mean, expected) => {
    expect(averagedIn(mean)).toEqual(expected);
  });
});

describe('an update that waits for others', () => {
  /** The variables in between, of the average `v` of `m`. */
  const viaOf = (text: string) =>
    (updatesOf(text).averages.get('m') ?? []).filter(({ variable }) => variable.node === 'v').map(({ via }) => via);

  it.each([
    ['directly', 'n = Identity(m, ^a)', [['w']]],
    ['through a group', 'g = NoOp(^a)\nn = Identity(m, ^g)', [['w']]],
    ['through an Identity', 'g = Identity(a)\nn = Identity(m, ^g)', [['w']]],
    ['through another op', 'g = Relu(a)\nn = Identity(m, ^g)', [[]]],
    ['twice', 'n = Identity(Identity(m, ^a), ^a)', [['w']]],
    ['not at all', 'n = Identity(m)', [[]]],
  ])('passes the statistic on: %s', (_, text, expected) => {
    expect(viaOf(`a = AssignSub(w, (w - m) * 0.1)\n${text}\nu = AssignSub(v, (v - n) * 0.1)`)).toEqual(expected);
  });

  it('does not count its own variable', () => {
    expect(viaOf('a = Assign(v, [1.0, 1.0])\nn = Identity(m, ^a)\nu = AssignSub(v, (v - n) * 0.1)')).toEqual([[]]);
  });
});

describe('variables that each batch overwrites', () => {
  const lastBatchesOf = (text: string) =>
    updatesOf(text).lastBatches.map(({ variable, assigns, averages }) => [
      variable.node,
      assigns,
      averages.map(({ node }) => node),
    ]);

  it('are named with those that average the same statistic', () => {
    const text = 'u = AssignSub(v, (v - m) * 0.1)\ns = Assign(w, m)';
    expect(lastBatchesOf(text)).toEqual([['w', ['s'], ['v']]]);
  });

  it('are not named with the average of the mean if they hold the variance', () => {
    const text = 'u = AssignSub(v, (v - m) * 0.1)\ns = Assign(w, Mean(SquaredDifference(x, m), [0]))';
    expect(lastBatchesOf(text)).toEqual([['w', ['s'], []]]);
  });

  it('may be averaged themselves', () => {
    const text = 's = Assign(w, m)\nu = AssignSub(v, (v - Identity(w, ^s)) * 0.1)';
    expect(lastBatchesOf(text)).toEqual([['w', ['s'], ['v']]]);
  });

  it('are none that an op updates with their own value', () => {
    const text = `
      z = Placeholder[shape=[?, 4, 4, 2]]
      bn = FusedBatchNormV3(z, [1.0, 1.0], [0.0, 0.0], v, w)[epsilon=0.001, is_training=true, exponential_avg_factor=0.1]
      u = Assign(v, bn:1), s = Assign(w, bn:2)`;
    expect(lastBatchesOf(text)).toEqual([]);
  });

  it('are none that copy an average, or a copy of one', () => {
    const text = `
      c = VariableV2[shape=[2]]
      u = AssignSub(v, (v - m) * 0.1)
      s = Assign(w, Identity(v, ^u))
      t = Assign(c, Identity(w, ^s))`;
    expect(lastBatchesOf(text)).toEqual([]);
  });

  it('are overwritten by some of their assignments', () => {
    const text = 'i = Assign(w, [0.0, 0.0])\ns = Assign(w, m)\nu = AssignSub(v, (v - m) * 0.1)';
    expect(lastBatchesOf(text)).toEqual([['w', ['s'], ['v']]]);
  });

  it('are none that remember anything', () => {
    expect(lastBatchesOf('u = Assign(v, v * 0.9 + m * 0.1)')).toEqual([]);
  });
});

describe('variables that inference may read instead of a moving average', () => {
  const rivalsOf = (text: string) =>
    [...updatesOf(text).rivals].map(([name, others]) => [name, others.map(({ node }) => node)]);
  const COPIED = 'u = AssignSub(v, (v - m) * 0.1)\ns = Assign(w, Identity(v, ^u))\n';

  it('are copies of it, if nothing reads either', () => {
    expect(rivalsOf(COPIED)).toEqual([['v', ['w']]]);
  });

  it('are copies of what averages a variable that each batch overwrites', () => {
    const text = `
      last = VariableV2[shape=[2]]
      l = Assign(last, m)
      u = AssignSub(v, (v - Identity(last, ^l)) * 0.1)
      s = Assign(w, Identity(v, ^u))`;
    expect(rivalsOf(text)).toEqual([['v', ['w']]]);
  });

  it('are copies of copies', () => {
    expect(rivalsOf(`${COPIED}c = VariableV2[shape=[2]]\nt = Assign(c, Identity(w, ^s))`)).toEqual([
      ['v', ['w']],
      ['w', ['c']],
    ]);
  });

  it.each([
    ['a multiple of it', 'Identity(v, ^u) * 3.0', [['v', ['w']]]],
    ['it, corrected by a constant number of steps', 'u / (1.0 - Pow(0.9, 6.0))', [['v', ['w']]]],
    ['it, corrected by a number of steps that is fed', 'u / (1.0 - Pow(0.9, fed))', [['v', ['w']]]],
    ["it, with Bessel's correction", 'Identity(v, ^u) * 1.02', []],
  ])('may hold %s', (_, value, expected) => {
    expect(rivalsOf(`fed = Placeholder[shape=[]]\nu = AssignSub(v, (v - m) * 0.1)\ns = Assign(w, ${value})`)).toEqual(
      expected,
    );
  });

  it('are copies although a weight is set once, or what is copied is no weight', () => {
    const once = 'k = VariableV2[shape=[2, 2]], l = VariableV2[shape=[2, 2]]\nAssign(l, k)';
    const scalar = 'k = VariableV2[shape=[]], l = VariableV2[shape=[]]\nAssign(l, k)\nAssign(l, 0.0)';
    const twice =
      'k = VariableV2[shape=[2, 2]], l = VariableV2[shape=[2, 2]]\nAssign(l, k * 2.0)\nAssign(l, Const[shape=[2, 2], value=0.0])';
    for (const text of [once, scalar, twice]) expect(rivalsOf(`${COPIED}${text}`)).toEqual([['v', ['w']]]);
  });

  it.each([
    ['the copy', 'y = x - w'],
    ['the average', 'y = x - v'],
  ])('are none if the net reads %s', (_, reader) => {
    expect(rivalsOf(COPIED + reader)).toEqual([]);
  });

  it('are still copies if only a saver and a summary read them', () => {
    expect(rivalsOf(`${COPIED}SaveV2("f", "w", "", w)[dtypes=types[float]]\nHistogramSummary("w", w)`)).toEqual([
      ['v', ['w']],
    ]);
  });

  it('are none if weights are copied as well', () => {
    const weights =
      'k = VariableV2[shape=[2, 2]], l = VariableV2[shape=[2, 2]]\nAssign(l, k)\nAssign(l, Const[shape=[2, 2], value=0.0])';
    expect(rivalsOf(`${COPIED}${weights}`)).toEqual([]);
  });

  it('are not those that a saver restores', () => {
    const restored = 'r = RestoreV2("f", "w", "")[dtypes=types[float]]\nAssign(w, r)';
    expect(rivalsOf(`u = AssignSub(v, (v - m) * 0.1)\n${restored}`)).toEqual([]);
  });

  it('are not the EMA variables of tf.train.ExponentialMovingAverage', () => {
    const ema = 'v/ema = VariableV2[shape=[2]]\nAssignSub(v/ema, (v/ema - v) * 0.1)';
    expect(rivalsOf(`u = AssignSub(v, (v - m) * 0.1)\n${ema}`)).toEqual([]);
  });
});

describe('what cannot be determined', () => {
  it('is the row of a table that a variable chooses', () => {
    const update = (index: string) =>
      `row = GatherV2(table, ${index}, 0)\nu = ScatterSub(table, ${index}, (row - m) * 0.1)`;
    expect([...updatesOf(update('step')).unknownRows].map(([key, { node }]) => [key, node])).toEqual([['m', 'table']]);
    const known = updatesOf(update('1'));
    expect([...known.unknownRows.keys()]).toEqual([]);
    expect(known.averages.get('m')?.map(({ variable }) => variable.row?.index)).toEqual([1]);
    expect([...known.updated]).toEqual(['table']);
  });

  it.each([
    [100, []],
    [300, ['u']],
  ])('is an update with an expression of %d ops', (length, truncated) => {
    const chain = Array.from({ length }, (_, i) => `c${i + 1} = Relu(c${i})`).join('\n');
    expect([...updatesOf(`c0 = Neg(m)\n${chain}\nu = AssignSub(v, (v - c${length}) * 0.1)`).truncated]).toEqual(
      truncated,
    );
  });
});

describe('a variable that averages a constant', () => {
  it.each([
    ['AssignSub(v, (v - [3.0, 3.0]) * 0.1)', [['v', 3]]],
    ['Assign(v, [3.0, 3.0])', []],
    ['AssignSub(v, [3.0, 3.0])', []],
  ])('converges to it: %s', (text, expected) => {
    expect([...updatesOf(text).steadyState.constants]).toEqual(expected);
  });
});

describe('the sizes of a statistic', () => {
  const averagedIn = (text: string) => [...updatesOf(text).averages.keys()];

  it.each([
    ['one number for all channels', 's = VariableV2[shape=[]]\nn = Mean(m, 0)\nu = AssignSub(s, (s - n) * 0.1)', ['n']],
    ['a part of the channels', 's = VariableV2[shape=[1]]\nu = AssignSub(s, (s - m) * 0.1)', []],
    [
      'a dimension of size 1 more',
      's = VariableV2[shape=[1, 2]]\nu = AssignSub(s, (s - Reshape(m, [1, 2])) * 0.1)',
      ['u/Reshape', 'm'],
    ],
    ['towers', 'n = Mean(Pack(m, m)[N=2], [0])\nu = AssignSub(v, (v - n) * 0.1)', ['n']],
    [
      'a mean over the second of two dimensions',
      'z = Placeholder[shape=[?, 2, 3]]\nk = Mean(z, [0])\nn = Mean(k, [1])\nu = AssignSub(v, (v - n) * 0.1)',
      ['n'],
    ],
    [
      'a statistic that broadcasts',
      's = VariableV2[shape=[2, 2]]\nn = m * Const[shape=[2, 2], value=1.0]\nu = AssignSub(s, (s - n) * 0.1)',
      ['n'],
    ],
  ])('match those of the variable: %s', (_, text, expected) => {
    expect(averagedIn(text)).toEqual(expected);
  });
});
