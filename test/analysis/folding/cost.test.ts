import { describe, expect, it } from 'vitest';
import { costOf } from '../../../src/analysis/folding/cost.js';
import { parseGraph } from '../../../src/notation/parse.js';

describe('the multiplications of a graph', () => {
  it.each([
    ['a product', 'y = Mul(x, a)', 96],
    ['a sum', 'y = AddV2(x, a)', 0],
    ['a batch norm', 'y = FusedBatchNormV3(x, s, s, s, s)[is_training=false]', 96],
    [
      'a convolution: a kernel per result',
      'y = Conv2D(x, Const[shape=[3, 3, 6, 5], value=0.5])[strides=[1, 1, 1, 1], padding=SAME]',
      16 * 5 * 54,
    ],
    [
      'a depthwise convolution',
      'y = DepthwiseConv2dNative(x, Const[shape=[3, 3, 6, 1], value=0.5])[strides=[1, 1, 1, 1], padding=SAME]',
      16 * 6 * 9,
    ],
    [
      'a transposed convolution: a kernel per number of the data',
      'y = Conv2DBackpropInput([1, 4, 4, 5], Const[shape=[3, 3, 5, 6], value=0.5], x)[strides=[1, 1, 1, 1], padding=SAME]',
      96 * 45,
    ],
    ['a matrix product', 'y = MatMul(m, Const[shape=[6, 5], value=0.5])', 2 * 30],
    ['matrix products in batches', 'y = BatchMatMulV2(b, Const[shape=[3, 6, 5], value=0.5])', 3 * 2 * 30],
    ['a product of unknown size, for one example', 'y = Mul(u, u)', 6],
    ['a product of unknown rank', 'y = Mul(w, w)', 1],
    ['a product of constants', 'y = Mul([1.0, 2.0], [3.0, 4.0])', 0],
  ])('of %s', (_, text, expected) => {
    const given = `
      x = Placeholder[shape=[1, 4, 4, 6]]
      a = Placeholder[shape=[6]], s = Placeholder[shape=[6]]
      m = Placeholder[shape=[2, 6]], b = Placeholder[shape=[3, 2, 6]], u = Placeholder[shape=[?, 6]]`;
    expect(costOf(parseGraph(`${given}\n${text}`)).multiplications).toBe(expected);
  });

  it('are given with the number of ops that compute something, by name', () => {
    const text = 'z = Relu(x)\ny = Identity(Mul(Relu(z), Mul(2.0, 3.0)))\nn = NoOp(^y)';
    expect(costOf(parseGraph(text)).ops).toEqual({ Mul: 1, Relu: 2 });
    expect(Object.keys(costOf(parseGraph('y = Tanh(Relu(Abs(x)))')).ops)).toEqual(['Abs', 'Relu', 'Tanh']);
  });
});
