import { describe, expect, it } from 'vitest';
import { checkHealth, checkStored, isUntouched, type NamedValue } from '../../../src/analysis/state/health.js';
import { BnfixError } from '../../../src/errors.js';
import { DataType } from '../../../src/graph/dtype.js';
import { numberTensor, type Tensor } from '../../../src/graph/tensor.js';

const vector = (...numbers: number[]) => numberTensor(DataType.DT_FLOAT, [numbers.length], numbers);
const named = (name: string, tensor: Tensor): NamedValue => ({ name, value: () => tensor });
const [INF, NAN] = [Number.POSITIVE_INFINITY, Number.NaN];
const missing: NamedValue = {
  name: 'lost',
  value: () => {
    throw new BnfixError('statistics', 'no value', { where: 'lost', why: 'for a reason', fix: 'find it' });
  },
};
const broken: NamedValue = {
  name: 'broken',
  value: () => {
    throw new BnfixError('unreadable', 'a wrong checksum');
  },
};
const long = named('long', numberTensor(DataType.DT_FLOAT, [2 ** 18 + 1], new Array(2 ** 18 + 1).fill(NAN)));

describe('checkHealth', () => {
  const check = (mean: number[], variance: number[]) =>
    checkHealth(named('m', vector(...mean)), named('v', vector(...variance)));

  it.each<[string, number[], number[], unknown]>([
    ['nothing wrong', [1, -2, 0], [3, 0.5, 4], undefined],
    ['zeros of the mean alone', [0, 0], [1, 2], undefined],
    ['zeros in a part of it', [0, 1], [1, 1], undefined],
    ['a variance of ones alone', [0, 3], [1, 1], undefined],
    ['a variance of 0', [1, 2], [0, 0], undefined],
    ['values before the first update', [0, 0], [1, 1], { kind: 'untrained', names: ['m', 'v'], variance: 1 }],
    ['zeros before the first update', [0, 0], [0, 0], { kind: 'untrained', names: ['m', 'v'], variance: 0 }],
    ['an infinite mean', [1, INF], [1, 2], { kind: 'not_finite', name: 'm' }],
    ['a variance that is no number', [1, 2], [1, NAN], { kind: 'not_finite', name: 'v' }],
    ['both infinite', [INF, 1], [INF, 1], { kind: 'not_finite', name: 'm' }],
    ['a negative variance', [1, 2, 3], [1, -0.5, -0.25], { kind: 'negative_variance', name: 'v', smallest: -0.5 }],
    ['other numbers of channels', [1, 2], [1, 2, 3], { kind: 'wrong_shape', names: ['m', 'v'], channels: [2, 3] }],
  ])('%s', (_, mean, variance, problem) => {
    expect(check(mean, variance).problem).toEqual(problem);
  });

  it('summarises the values', () => {
    expect(check([2, -1, 5, 3], [4, 0.25, 0.5, 9]).range).toEqual({ channels: 4, mean: [-1, 5], variance: [0.25, 9] });
    expect(check([7], [8]).range).toEqual({ channels: 1, mean: [7, 7], variance: [8, 8] });
    expect(check([1, NAN], [1, 2]).range).toEqual({ channels: 2, mean: undefined, variance: [1, 2] });
    expect(check([], []).range).toEqual({ channels: 0, mean: undefined, variance: undefined });
    expect(check([], []).problem).toBeUndefined();
    expect(check([1], [1, 2]).range).toBeUndefined();
  });

  it('reports a value that is missing, and throws for a checkpoint that cannot be read', () => {
    const found = checkHealth(named('m', vector(1)), missing);
    expect(found).toMatchObject({
      problem: { kind: 'missing', value: { message: 'no value', where: 'lost', why: 'for a reason' } },
      range: undefined,
    });
    expect(() => checkHealth(named('m', vector(1)), broken)).toThrow('a wrong checksum');
  });
});

describe('checkStored', () => {
  const mean = named('m', vector(1, 2));
  const variance = named('v', vector(3, 4));

  it.each<[string, ReturnType<typeof checkStored>['problem'], NamedValue, NamedValue | undefined, NamedValue[]]>([
    ['nothing wrong', undefined, variance, mean, [named('gamma', vector(-1, 0))]],
    ['an infinite variance', { kind: 'not_finite', name: 'w' }, named('w', vector(1, INF)), mean, []],
    ['a mean that is no number', { kind: 'not_finite', name: 'n' }, variance, named('n', vector(NAN, 1)), []],
    [
      'another value that is no number',
      { kind: 'not_finite', name: 'beta' },
      variance,
      undefined,
      [named('beta', vector(NAN))],
    ],
    [
      'a negative variance',
      { kind: 'negative_variance', name: 'w', smallest: -2 },
      named('w', vector(1, -2)),
      mean,
      [],
    ],
    ['a negative mean', undefined, variance, named('n', vector(-1, -2)), []],
    [
      'untouched',
      { kind: 'untrained', names: ['n', 'w'], variance: 1 },
      named('w', vector(1, 1)),
      named('n', vector(0, 0)),
      [],
    ],
    ['a variance of ones without a mean', undefined, named('w', vector(1, 1)), undefined, []],
    ['values that are missing', undefined, missing, missing, [missing]],
    ['vectors that are too long for statistics', undefined, long, long, [long]],
  ])('%s', (_, problem, own, other, others) => {
    expect(checkStored(own, other, others).problem).toEqual(problem);
  });

  it('summarises what it has read', () => {
    expect(checkStored(variance, mean, []).range).toEqual({ channels: 2, mean: [1, 2], variance: [3, 4] });
    expect(checkStored(variance, undefined, []).range).toEqual({ channels: 2, mean: undefined, variance: [3, 4] });
    expect(checkStored(variance, missing, []).range).toEqual({ channels: 2, mean: undefined, variance: [3, 4] });
    expect(checkStored(missing, mean, []).range).toBeUndefined();
    expect(() => checkStored(variance, broken, [])).toThrow('a wrong checksum');
  });
});

describe('isUntouched', () => {
  it.each<[string, Tensor, boolean]>([
    ['zeros', vector(0, 0, 0), true],
    ['ones', vector(1, 1), true],
    ['both', vector(0, 1), false],
    ['a two', vector(2, 2), false],
    ['a number that is no vector', numberTensor(DataType.DT_FLOAT, [], [0]), false],
    ['no numbers', vector(), false],
    ['as many as statistics may have', numberTensor(DataType.DT_FLOAT, [2 ** 18], new Array(2 ** 18).fill(0)), true],
    ['too many for statistics', numberTensor(DataType.DT_FLOAT, [2 ** 18 + 1], new Array(2 ** 18 + 1).fill(0)), false],
  ])('%s', (_, tensor, expected) => {
    expect(isUntouched(tensor)).toBe(expected);
  });
});
