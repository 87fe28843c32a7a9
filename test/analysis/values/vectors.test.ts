import { describe, expect, it } from 'vitest';
import { axisOf, ConstantEvaluator, type Vector, zip } from '../../../src/analysis/values/vectors.js';
import { parseGraph } from '../../../src/notation/parse.js';

const vector = (shape: readonly number[], ...values: number[]): Vector => ({
  shape,
  values: Float64Array.from(values),
});

/** The value of `y`, as numbers. */
function evaluated(text: string) {
  const value = new ConstantEvaluator(parseGraph(text)).vector({ node: 'y', port: 0 });
  return value && { ...value, values: [...value.values] };
}

describe('ConstantEvaluator', () => {
  it.each([
    ['y = [1.0, 2.0]', { shape: [2], values: [1, 2], ops: 0, hasRoot: false }],
    ['y = Mul(Rsqrt(AddV2([3.0, 8.0], 1.0)), 3.0)', { shape: [2], values: [1.5, 1], ops: 3, hasRoot: true }],
    ['y = Maximum([-1.0, 2.0], 0.5)', { shape: [2], values: [0.5, 2], ops: 1, hasRoot: false }],
    ['y = Reshape([1.0, 2.0], [1, -1, 1])', { shape: [1, 2, 1], values: [1, 2], ops: 0, hasRoot: false }],
    ['y = Squeeze([[1.0, 2.0]])', { shape: [2], values: [1, 2], ops: 0, hasRoot: false }],
    ['y = Fill([3], 2.5)', { shape: [3], values: [2.5, 2.5, 2.5], ops: 0, hasRoot: false }],
    ['y = OnesLike([7.0, 8.0])', { shape: [2], values: [1, 1], ops: 0, hasRoot: false }],
    ['y = ConcatV2([1.0], [2.0, 3.0], 0)', { shape: [3], values: [1, 2, 3], ops: 1, hasRoot: false }],
    ['y = Concat(0, [1.0], [2.0, 3.0])', { shape: [3], values: [1, 2, 3], ops: 1, hasRoot: false }],
    ['a = [2.0]\ny = AddV2(Neg(a), Neg(a))', { shape: [1], values: [-4], ops: 3, hasRoot: false }],
  ])('evaluates %s', (text, value) => {
    expect(evaluated(text)).toEqual(value);
  });

  it.each([
    ['data', 'x = Placeholder[shape=[2]]\ny = Mul(x, 2.0)'],
    ['integers', 'y = AddV2([1, 2], 3)'],
    ['several dimensions', 'y = Neg([[1.0, 2.0], [3.0, 4.0]])'],
    ['vectors along different dimensions', 'y = Mul([1.0, 2.0], [[3.0], [4.0]])'],
    ['what rounding changes beyond rounding', 'y = Floor([1.0, 2.0])'],
    ['a bias, which may lie along any dimension', 'y = BiasAdd([1.0, 2.0], [3.0, 4.0])'],
    ['a sum of three', 'y = AddN([1.0], [2.0], [3.0])'],
  ])('leaves %s', (_, text) => {
    expect(evaluated(text)).toBeUndefined();
  });

  it('follows a chain of any length', () => {
    const steps = Array.from({ length: 5000 }, (_, i) => `c${i + 1} = AddV2(c${i}, 1.0)`);
    expect(evaluated(['c0 = [0.0]', ...steps, 'y = Identity(c5000)'].join('\n'))?.values).toEqual([5000]);
  });
});

describe('zip', () => {
  it('broadcasts a number, and dimensions of size 1', () => {
    const add = (a: number, b: number) => a + b;
    expect(zip(vector([], 1), vector([2], 2, 3), add)).toEqual(vector([2], 3, 4));
    expect(zip(vector([1, 1], 1), vector([2], 2, 3), add)).toEqual(vector([1, 2], 3, 4));
    expect(zip(vector([2], 1, 2), vector([3], 1, 2, 3), add)).toBeUndefined();
    expect(zip(vector([2, 1], 1, 2), vector([2], 1, 2), add)).toBeUndefined();
  });
});

describe('axisOf', () => {
  it('counts from the end; one number lies along none', () => {
    expect([vector([2], 1, 2), vector([2, 1, 1], 1, 2), vector([1, 1], 1), vector([], 1)].map(axisOf)).toEqual([
      -1,
      -3,
      undefined,
      undefined,
    ]);
  });
});
