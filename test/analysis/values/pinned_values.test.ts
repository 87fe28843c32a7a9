import { describe, expect, it } from 'vitest';
import { PinnedValues } from '../../../src/analysis/values/pinned_values.js';
import { refText } from '../../../src/graph/node.js';
import { parseGraph } from '../../../src/notation/parse.js';

const HEAD = `f = Placeholder[bool, shape=[]]
n = Placeholder[shape=[]]
a = Placeholder[shape=[?, 2]]
b = Placeholder[shape=[?, 2]]
v = VarHandleOp[shape=[2]]
`;

function pinned(text: string, pins: Readonly<Record<string, number>> = { f: 0, n: 1 }) {
  const graph = parseGraph(HEAD + text);
  // Before version 24, an empty shape was an unknown one.
  graph.setHeader({ versions: { producer: 24 } });
  return { graph, values: new PinnedValues(graph, new Map(Object.entries(pins))) };
}

describe('the value of a tensor that depends on a flag', () => {
  it.each([
    ['Identity(f)', 0],
    ['Cast(f)[DstT=float32, SrcT=bool]', 0],
    ['Cast(n * 0.5)[DstT=bool, SrcT=float32]', 1],
    ['Cast(n * 2.75)[DstT=int32, SrcT=float32]', 2],
    ['Reshape(Tile(n, [3]), [1, 3])', 1],
    ['BroadcastTo(n, Shape(a))', 1],
    ['Fill(Shape(a), n)', 1],
    ['Pack(n, n)', 1],
    ['StopGradient(Transpose(ExpandDims(n, 0), [0]))', 1],
    ['1.0 - n', 0],
    ['n + [2.0, 2.0]', 3],
    ['n * Fill([3], 4.0)', 4],
    ['n * Fill(Shape(a), 4.0)', 4],
    ['a * (1.0 - n)', 0],
    ['LogicalNot(f)', 1],
    ['Cast(n - 1.0)[DstT=bool, SrcT=float32]', 0],
    ['n * 0.1 + 0.2', Math.fround(Math.fround(0.1) + Math.fround(0.2))],
    ['LogicalAnd(f, true)', 0],
    ['Cast(n * 0.1)[DstT=float64, SrcT=float32]', Math.fround(0.1)],
  ])('%s', (expression, value) => {
    expect(pinned(`y = ${expression}\nz = Relu(y)`).values.of({ node: 'y', port: 0 })).toBe(value);
  });

  it.each([
    ['what depends on data', 'n + a'],
    ['a constant of several numbers', 'n + [2.0, 3.0]'],
    ['no number', 'n / 0.0 - n / 0.0'],
    ['a stack of several values', 'Pack(n, 1.0 - n)'],
    ['a stack with what is not known', 'Pack(n, a)'],
    ['another op', 'MatMul(n, a)'],
    ['what no flag reaches', '2.0 + [3.0]'],
  ])('is unknown: %s', (_, expression) => {
    expect(pinned(`y = ${expression}\nz = Relu(y)`).values.of({ node: 'y', port: 0 })).toBeUndefined();
  });

  it('is known for all outputs of a node that are read, and for nothing without pins', () => {
    const { graph, values } = pinned('s = Switch(n, f)\ny = Add(s, s:1)');
    expect(values.found.map(refText).sort()).toEqual(['f', 'n', 's', 's:1', 'y'].filter((name) => name !== 'y'));
    const none = new PinnedValues(graph, new Map());
    expect(none.found).toEqual([]);
    expect(none.of({ node: 'n', port: 0 })).toBeUndefined();
    expect(none.forwarded(graph.get('y'))).toBeUndefined();
  });

  it('follows from earlier pins as well, and from what is learnt', () => {
    const { graph } = pinned('y = Mul(n, Cast(f)[DstT=float32, SrcT=bool])\nz = Relu(y)');
    const base = new PinnedValues(graph, new Map([['n', 3]]));
    const more = new PinnedValues(graph, new Map([['f', 1]]), base);
    expect(more.of({ node: 'y', port: 0 })).toBe(3);
    expect(more.of({ node: 'n', port: 0 })).toBe(3);
    expect(more.found.map(refText)).not.toContain('n');
    expect(base.of({ node: 'y', port: 0 })).toBeUndefined();
    base.learn(more);
    expect(base.of({ node: 'y', port: 0 })).toBe(3);
  });
});

describe('what a node outputs since flags are known', () => {
  const forwarded = (text: string, pins?: Readonly<Record<string, number>>) => {
    const { graph, values } = pinned(text, pins);
    const ref = values.forwarded(graph.get('y'));
    return ref && refText(ref);
  };

  it.each([
    ['y = n * a', 'a'],
    ['y = a * n', 'a'],
    ['y = (1.0 - n) * a + b', 'b'],
    ['y = b + (1.0 - n) * a', 'b'],
    ['y = a - (1.0 - n) * b', 'a'],
    ['y = b + n * (a - b)', 'a'],
    ['y = n * (a - b) + b', 'a'],
    ['y = b - n * (b - a)', 'a'],
    ['r = ReadVariableOp(v)\nq = ReadVariableOp(v)\ny = r + n * (a - q)', 'a'],
    ['i = Cast(n)[DstT=int32, SrcT=float32]\ny = GatherV2(Pack(a, b), i, 0)', 'b'],
    ['i = Cast(n)[DstT=int32, SrcT=float32]\ny = Gather(Identity(Pack(a, b)), i)', 'b'],
    ['i = Cast(0.0 - n)[DstT=int32, SrcT=float32]\ny = GatherV2(Pack(a, b), i, 0)', 'b'],
    ['i = Pack(Cast(n)[DstT=int32, SrcT=float32])\ny = StridedSlice(Pack(a, b), i, [9], [1])[shrink_axis_mask=1]', 'b'],
    ['y = AddN((1.0 - n) * a, b, (1.0 - n) * b)', 'b'],
  ])('%s', (text, name) => {
    expect(forwarded(text)).toBe(name);
  });

  it.each([
    ['a sum of two', 'y = n * a + b'],
    ['a product of two', 'y = a * b'],
    ['a difference that subtracts something', 'y = a - n * b'],
    ['an interpolation between others', 'y = b + n * (a - a)'],
    ['one with half a flag', 'y = b + n * 0.5 * (a - b)'],
    ['one of what is no difference', 'y = b + n * (a + b)'],
    ['along another axis', 'i = Cast(n)[DstT=int32, SrcT=float32]\ny = GatherV2(Pack(a, b), i, 1)'],
    ['of a stack along another axis', 'i = Cast(n)[DstT=int32, SrcT=float32]\ny = GatherV2(Pack(a, b)[axis=1], i, 0)'],
    ['for each of a batch', 'i = Cast(n)[DstT=int32, SrcT=float32]\ny = GatherV2(Pack(a, b), i, 0)[batch_dims=1]'],
    ['of what is no stack', 'i = Cast(n)[DstT=int32, SrcT=float32]\ny = GatherV2(a, i, 0)'],
    ['by an index that is not known', 'y = GatherV2(Pack(a, b), Placeholder[int32, shape=[]], 0)'],
    ['beyond the stack', 'i = Cast(n * 5.0)[DstT=int32, SrcT=float32]\ny = GatherV2(Pack(a, b), i, 0)'],
    [
      'a slice that keeps its axis',
      'i = Pack(Cast(n)[DstT=int32, SrcT=float32])\ny = StridedSlice(Pack(a, b), i, [9], [1])',
    ],
    [
      'a slice from the beginning',
      'i = Pack(Cast(n)[DstT=int32, SrcT=float32])\ny = StridedSlice(Pack(a, b), i, [9], [1])[begin_mask=1, shrink_axis_mask=1]',
    ],
    ['another op', 'y = Maximum(n, a)'],
    ['a sum of one', 'y = AddN(a)'],
    ['an interpolation by another op', 'y = b + Maximum(n, a - b)'],
    ['an interpolation to which something is added', 'y = AddN(b, n * (a - b), a)'],
    ['a list of one part', 'i = Pack(Cast(n)[DstT=int32, SrcT=float32])\ny = GatherV2(Pack(a, b), i, 0)'],
    ['a part of a part', 'i = Cast(n)[DstT=int32, SrcT=float32]\ny = GatherNd(Pack(a, b), Pack(i, i))'],
    [
      'a slice of a part',
      'i = Cast(n)[DstT=int32, SrcT=float32]\ny = StridedSlice(Pack(a, b), Pack(i, i), [9, 9], [1, 1])[shrink_axis_mask=1]',
    ],
    ['of a sum', 'i = Cast(n)[DstT=int32, SrcT=float32]\ny = GatherV2(AddN(a, b), i, 0)'],
    [
      'a slice of unknown shapes at an ellipsis',
      'i = Pack(Cast(n)[DstT=int32, SrcT=float32])\ny = StridedSlice(Pack(p, q), i, [9], [1])[ellipsis_mask=1, shrink_axis_mask=1]',
    ],
    [
      'a slice of unknown shapes that adds an axis',
      'i = Pack(Cast(n)[DstT=int32, SrcT=float32])\ny = StridedSlice(Pack(p, q), i, [9], [1])[new_axis_mask=1, shrink_axis_mask=1]',
    ],
    [
      'a slice at an ellipsis',
      'i = Pack(Cast(n)[DstT=int32, SrcT=float32])\ny = StridedSlice(Pack(a, b), i, [9], [1])[ellipsis_mask=1, shrink_axis_mask=1]',
    ],
    [
      'a slice that adds an axis',
      'i = Pack(Cast(n)[DstT=int32, SrcT=float32])\ny = StridedSlice(Pack(a, b), i, [9], [1])[new_axis_mask=1, shrink_axis_mask=1]',
    ],
  ])('is nothing else: %s', (_, text) => {
    expect(forwarded(text)).toBeUndefined();
  });
});
