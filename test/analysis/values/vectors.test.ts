import { describe, expect, it } from 'vitest';
import { axisOf, ConstantEvaluator, type Vector, zip } from '../../../src/analysis/values/vectors.js';
import { attr } from '../../../src/graph/attrs.js';
import { DataType } from '../../../src/graph/dtype.js';
import { Graph } from '../../../src/graph/graph.js';
import { filledTensor } from '../../../src/graph/tensor.js';
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
    ['y = Mul(2.0, 3.0)', { shape: [], values: [6], ops: 1, hasRoot: false }],
    ['y = Mul([[1.0, 2.0]], [3.0, 4.0])', { shape: [1, 2], values: [3, 8], ops: 1, hasRoot: false }],
    ['y = Enter([1.0, 2.0])[is_constant=true, frame_name=f]', { shape: [2], values: [1, 2], ops: 0, hasRoot: false }],
    ['y = Cast([1.5])[SrcT=float32, DstT=float64]', { shape: [1], values: [1.5], ops: 0, hasRoot: false }],
    ['y = Reshape([1.0, 2.0], [2, 1])', { shape: [2, 1], values: [1, 2], ops: 0, hasRoot: false }],
    [
      'y = Reshape([1.0, 2.0, 3.0, 4.0], [1, 2, -1, 2])',
      { shape: [1, 2, 1, 2], values: [1, 2, 3, 4], ops: 0, hasRoot: false },
    ],
    ['y = ExpandDims([1.0, 2.0], 0)', { shape: [1, 2], values: [1, 2], ops: 0, hasRoot: false }],
    ['y = ExpandDims([[1.0, 2.0]], 1)', { shape: [1, 1, 2], values: [1, 2], ops: 0, hasRoot: false }],
    ['y = ExpandDims([1.0, 2.0], -1)', { shape: [2, 1], values: [1, 2], ops: 0, hasRoot: false }],
    ['y = ExpandDims([[1.0, 2.0]], -2)', { shape: [1, 1, 2], values: [1, 2], ops: 0, hasRoot: false }],
    ['y = Squeeze([[[1.0, 2.0]]])[squeeze_dims=[0]]', { shape: [1, 2], values: [1, 2], ops: 0, hasRoot: false }],
    ['y = Squeeze([[[1.0], [2.0]]])[squeeze_dims=[-1]]', { shape: [1, 2], values: [1, 2], ops: 0, hasRoot: false }],
    ['y = Fill([1, 2], 2.5)', { shape: [1, 2], values: [2.5, 2.5], ops: 0, hasRoot: false }],
    ['y = Fill([2], [2.5])', { shape: [2], values: [2.5, 2.5], ops: 0, hasRoot: false }],
    ['y = ConcatV2([1.0], [2.0, 3.0], -1)', { shape: [3], values: [1, 2, 3], ops: 1, hasRoot: false }],
    ['y = ConcatV2([1.0], Sqrt([4.0]), 0)', { shape: [2], values: [1, 2], ops: 2, hasRoot: true }],
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
    ['what changes in each iteration of a loop', 'y = Enter([1.0, 2.0])[frame_name=f]'],
    ['numbers that are rounded to integers', 'y = Cast([1.5])[SrcT=float32, DstT=int32]'],
    ['another output than the first', 's = Split(0, [1.0, 2.0])[num_split=2]\ny = Neg(s:1)'],
    ['vectors of different sizes', 'y = Mul([1.0, 2.0], [3.0, 4.0, 5.0])'],
    ['a shape that is not known', 'y = Fill(Shape(x), 1.0)'],
    ['a filled matrix', 'y = Fill([2, 3], 1.0)'],
    ['a shape of another size', 'y = Reshape([1.0, 2.0], [3])'],
    ['a shape that is computed from data', 'y = Reshape([1.0, 2.0], Shape(x))'],
    ['an axis that is computed from data', 'y = ExpandDims([1.0, 2.0], Rank(x))'],
    ['rows joined along another axis', 'y = ConcatV2([[1.0]], [[2.0]], 1)'],
    ['parts of different ranks', 'y = ConcatV2([1.0], [[2.0]], 0)'],
    ['parts along an axis that is not known', 'y = ConcatV2([1.0], [2.0], a)'],
    ['a part that is not known', 'y = ConcatV2([1.0], x, 0)'],
    ['more repeated numbers than channels', 'y = Fill([16385], 1.0)'],
    ['nothing at all', 'e = Const[float32, shape=[0], value=[]]\ny = Neg(e)'],
  ])('leaves %s', (_, text) => {
    expect(evaluated(text)).toBeUndefined();
  });

  it('follows a chain of any length', () => {
    const steps = Array.from({ length: 5000 }, (_, i) => `c${i + 1} = AddV2(c${i}, 1.0)`);
    expect(evaluated(['c0 = [0.0]', ...steps, 'y = Identity(c5000)'].join('\n'))?.values).toEqual([5000]);
  });
});

describe('the limits of ConstantEvaluator', () => {
  it('repeats a number for up to 16,384 channels', () => {
    expect(evaluated('y = Fill([16384], 1.0)')?.shape).toEqual([16_384]);
    const stored = (size: number) => {
      const tensor = filledTensor(DataType.DT_FLOAT, [size], 1);
      const graph = new Graph([{ name: 'y', op: 'Const', tensor, attr: { dtype: attr.type(DataType.DT_FLOAT) } }]);
      return new ConstantEvaluator(graph).vector({ node: 'y', port: 0 })?.shape;
    };
    expect(stored(16_384)).toEqual([16_384]);
    expect(stored(16_385)).toBeUndefined();
  });

  it('knows 2,097,152 computed numbers, and as many more as the file has', () => {
    const size = 16_384;
    const known = (count: number, more = '') => {
      const lines = Array.from({ length: count }, (_, i) => `f${i} = Fill([${size}], 1.0)`);
      const evaluator = new ConstantEvaluator(parseGraph([...lines, more].join('\n')));
      if (more !== '') evaluator.vector({ node: 'stored', port: 0 });
      return lines.filter((_, i) => evaluator.vector({ node: `f${i}`, port: 0 })).length;
    };
    expect(known(140)).toBe(129);
    expect(known(140, `stored = [${Array.from({ length: 2 * size }, (_, i) => `${i}.0`).join(', ')}]`)).toBe(131);
  });

  it('reads the numbers of a tensor once', () => {
    const graph = parseGraph('y = [1.0, 2.0]');
    const values = () => new ConstantEvaluator(graph).vector({ node: 'y', port: 0 })!.values;
    expect(values()).toBe(values());
  });

  it('has no value for nothing', () => {
    expect(new ConstantEvaluator(parseGraph('y = [1.0]')).vector(undefined)).toBeUndefined();
    expect(new ConstantEvaluator(parseGraph('y = [1.0]')).vector({ node: 'y', port: 1 })).toBeUndefined();
    expect(new ConstantEvaluator(parseGraph('y = [1.0]')).vector({ node: 'z', port: 0 })).toBeUndefined();
  });
});

describe('zip', () => {
  it('broadcasts a number, and dimensions of size 1', () => {
    const add = (a: number, b: number) => a + b;
    expect(zip(vector([], 1), vector([2], 2, 3), add)).toEqual(vector([2], 3, 4));
    expect(zip(vector([1, 1], 1), vector([2], 2, 3), add)).toEqual(vector([1, 2], 3, 4));
    expect(zip(vector([2], 1, 2), vector([1], 3), add)).toEqual(vector([2], 4, 5));
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
