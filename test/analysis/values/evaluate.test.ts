import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/analysis/values/evaluate.js';
import { parseGraph } from '../../../src/notation/parse.js';

/** The value of node `y` when the named tensors have the given values. */
function valueOfY(text: string, given: Readonly<Record<string, number>> = {}): number {
  return evaluate(parseGraph(text), { node: 'y', port: 0 }, (ref) => given[ref.node]);
}

const UNKNOWN = 0.37;

describe('evaluate', () => {
  it.each([
    ['y = Sub(v, Mul(v - x, 0.1))', { v: 2, x: 1 }, 1.9],
    ['y = Div(x, 4.0)', { x: 2 }, 0.5],
    ['y = Reciprocal(x)', { x: 4 }, 0.25],
    ['y = ClipByValue(x, 0.0, 1.0)', { x: 3 }, 1],
    ['y = Mean(Reshape(x, [-1]), [0])', { x: 3 }, 3],
    ['y = Fill(Shape(x), 2.5)', {}, 2.5],
    ['y = ZerosLike(z)', {}, 0],
    ['y = Switch(x, c)', { x: 3 }, 3],
    ['y = Exit(Enter(x)[frame_name=loop])', { x: 3 }, 3],
    ['y = Pack(x)', { x: 3 }, 3],
    ['y = Pack(x, x)', { x: 3 }, UNKNOWN],
    ['y = Cast(x)[DstT=int32, SrcT=float32]', { x: 3 }, 3],
    ['y = Cast(x)[DstT=int32, SrcT=float32]', { x: 1.7 }, 1],
    ['y = Cast(x)[DstT=int64, SrcT=float32]', { x: -1.7 }, -1],
    ['y = Cast(x)[DstT=bool, SrcT=float32]', { x: 0.5 }, 1],
    ['y = Cast(x)[DstT=bool, SrcT=float32]', { x: 0 }, 0],
    ['y = Cast(x)[DstT=double, SrcT=float32]', { x: 1.5 }, 1.5],
    ['y = Cast(x)[DstT=int32, SrcT=float32]', {}, UNKNOWN],
    ['y = BroadcastTo(x, [2, 3])', { x: 3 }, 3],
    ['y = OnesLike(z)', {}, 1],
    ['y = Const[float32, shape=[16384], value=2.5]', {}, 2.5],
    ['y = Const[float32, shape=[16385], value=2.5]', {}, UNKNOWN],
    ['y = Identity([])', {}, UNKNOWN],
    ['y = Identity([2.0, 2.0])', {}, 2],
    ['y = Identity([2.0, 3.0])', {}, UNKNOWN],
    ['y = Const["text"]', {}, UNKNOWN],
  ])('%s', (text, given, expected) => {
    expect(valueOfY(text, given)).toBeCloseTo(expected, 6);
  });

  it.each([
    ['y = Add(MatMul(a, b), 1.0)', 1.37],
    ['y = Placeholder()', UNKNOWN],
    ['y = Merge(a, b)', UNKNOWN],
  ])('what only a run would tell is the same number everywhere: %s', (text, expected) => {
    expect(valueOfY(text)).toBeCloseTo(expected, 6);
  });

  it('decides by what is known', () => {
    const text = 'y = SelectV2(Greater(step, 100.0), a, b)';
    expect(valueOfY(text, { step: 1000, a: 5, b: 6 })).toBe(5);
    expect(valueOfY(text, { step: 1, a: 5, b: 6 })).toBe(6);
    expect(valueOfY('y = LogicalAnd(c, Greater(step, 100.0))', { step: 1 })).toBe(0);
  });

  it('takes what a known condition selects, known or not', () => {
    expect(valueOfY('y = SelectV2(Greater(step, 100.0), Add(MatMul(a, b), 1.0), b)', { step: 1000 })).toBeCloseTo(
      1.37,
      6,
    );
  });

  it('gives up long expressions, and ops of many inputs', () => {
    const chain = (length: number) => Array.from({ length }, (_, i) => `n${i + 1} = Neg(n${i})`).join('\n');
    expect(valueOfY(`${chain(198)}\ny = Identity(n198)`, { n0: 2 })).toBe(2);
    expect(valueOfY(`${chain(204)}\ny = Identity(n204)`, { n0: 2 })).not.toBe(2);
    const sum = (count: number) => `y = AddN(${Array.from({ length: count }, () => 'x').join(', ')})`;
    expect(valueOfY(sum(1000), { x: 1 })).toBe(1000);
    expect(valueOfY(sum(1001), { x: 1 })).toBe(UNKNOWN);
  });

  it('does not decide by what is not known', () => {
    expect(valueOfY('y = SelectV2(Greater(step, 100.0), a, b)', { a: 5, b: 6 })).toBe(UNKNOWN);
    expect(valueOfY('y = Floor(x)')).toBe(UNKNOWN);
    // What an unknown number decided is not known either.
    expect(valueOfY('y = Floor(Greater(x, 0.0))')).toBe(UNKNOWN);
  });

  it('both ways alike decide', () => {
    expect(valueOfY('y = SelectV2(c, a, a)', { a: 5 })).toBe(5);
  });

  it('works out each tensor once', () => {
    const lines = Array.from({ length: 80 }, (_, i) => `n${i + 1} = Add(n${i}, n${i})`);
    expect(valueOfY(`${lines.join('\n')}\ny = Identity(n80)`, { n0: 1 })).toBe(2 ** 80);
  });
});
