import { describe, expect, it } from 'vitest';
import { constantInts, constantScalar, constantValue } from '../../../src/analysis/values/constants.js';
import { Graph } from '../../../src/graph/graph.js';
import type { NodeSpec } from '../../../src/graph/node.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { constant, node, T_FLOAT } from '../../support/build.js';

/** The value of node `y`; `?` for what is known only when the graph runs. */
function valueOfY(text: string, pins?: ReadonlyMap<string, number>) {
  const value = constantValue(parseGraph(text), { node: 'y', port: 0 }, pins);
  return value && { shape: value.shape, values: value.values.map((x) => (Number.isNaN(x) ? '?' : x)) };
}

const list = (...values: (number | '?')[]) => ({ shape: [values.length], values });
const single = (value: number | '?') => ({ shape: [], values: [value] });

describe('constantValue', () => {
  it.each([
    ['y = Pack(2, 3)', list(2, 3)],
    ['n = StridedSlice(Shape(x), [0], [1], [1])[shrink_axis_mask=1]\ny = Pack(n, 3)', list('?', 3)],
    ['y = ConcatV2([1, 2], [3], 0)', list(1, 2, 3)],
    ['y = Concat(0, [1, 2], [3])', list(1, 2, 3)],
    ['y = Range(1, 7, 2)', list(1, 3, 5)],
    ['y = Range(3, 0, -1)', list(3, 2, 1)],
    ['y = ExpandDims(5, 0)', list(5)],
    ['y = Reshape([[1, 2], [3, 4]], [-1])', list(1, 2, 3, 4)],
    ['y = Squeeze([[1, 2]])', list(1, 2)],
    ['y = StridedSlice([4, 5, 6], [-1], [0], [1])[shrink_axis_mask=1]', single(6)],
    ['y = StridedSlice([4, 5, 6], [1], [3], [1])', list(5, 6)],
    ['y = StridedSlice([4, 5, 6], [0], [3], [2])', list(4, 6)],
    ['y = StridedSlice([4, 5, 6], [1], [0], [1])[end_mask=1]', list(5, 6)],
    ['y = StridedSlice([4, 5, 6], [0], [2], [1])[begin_mask=1]', list(4, 5)],
    ['y = Mul([2, 3], 4)', list(8, 12)],
    ['y = Mul([[1, 2], [3, 4]], [10, 100])', { shape: [2, 2], values: [10, 200, 30, 400] }],
    ['y = Mul([[10], [100]], [1, 2, 3])', { shape: [2, 3], values: [10, 20, 30, 100, 200, 300] }],
    ['y = BiasAdd([[1, 2], [3, 4]], [10, 100])', { shape: [2, 2], values: [11, 102, 13, 104] }],
    ['y = SelectV2(false, 1, 2)', single(2)],
    ['y = Cast(2.7)[SrcT=float32, DstT=int32]', single(2)],
    ['y = Cast(0.5)[SrcT=float32, DstT=bool]', single(1)],
    ['i = IdentityN(1, 2)\ny = Identity(i:1)', single(2)],
  ])('%s', (text, expected) => {
    expect(valueOfY(text)).toEqual(expected);
  });

  it('truncates integers as TensorFlow does', () => {
    expect(valueOfY('y = Div(-7, 2)')).toEqual(single(-3));
    expect(valueOfY('y = FloorDiv(-7, 2)')).toEqual(single(-4));
    expect(valueOfY('y = Div(-7.0, 2.0)')).toEqual(single(-3.5));
  });

  it('keeps float32 as exact as TensorFlow does', () => {
    expect(valueOfY('y = Equal(Add(0.1, 0.2), 0.3)')).toEqual(single(1));
  });

  it.each([
    'y = Mul(Shape(x), 2)',
    'y = Add(x, 2.0)',
    'y = Greater(x, 0.0)',
    'y = Pack(Shape(x))',
    'y = Reshape([1, 2], Shape(x))',
    'y = StridedSlice([4, 5, 6], Shape(x), [1], [1])',
  ])('nothing is known of %s, not even how many numbers it has', (text) => {
    expect(valueOfY(text)).toBeUndefined();
  });

  it('knows what decides by itself', () => {
    expect(valueOfY('c = Placeholder[bool]\ny = LogicalAnd(c, false)')).toEqual(single(0));
    expect(valueOfY('c = Placeholder[bool]\ny = LogicalOr(true, c)')).toEqual(single(1));
    expect(valueOfY('c = Placeholder[bool]\ny = LogicalOr(false, c)')).toBeUndefined();
  });

  it('takes pinned nodes as given, without keeping what follows from them', () => {
    const graph = parseGraph('training = Placeholder[bool]\nnot = LogicalNot(training)\ny = LogicalAnd(not, true)');
    const y = { node: 'y', port: 0 };
    expect(constantScalar(graph, y)).toBeUndefined();
    expect(constantScalar(graph, y, new Map([['training', 1]]))).toBe(0);
    expect(constantScalar(graph, y, new Map([['training', 0]]))).toBe(1);
    expect(constantScalar(graph, y)).toBeUndefined();
  });

  it('reads a variable handle that is pinned through its read', () => {
    const graph = parseGraph('v = VarHandleOp[bool, shape=[]]\ny = ReadVariableOp(v)[dtype=bool]');
    expect(constantScalar(graph, { node: 'y', port: 0 }, new Map([['v', 1]]))).toBe(1);
  });

  it('follows changes of the graph', () => {
    const graph = parseGraph('a = Identity(3)\ny = Add(a, 1)');
    const y = { node: 'y', port: 0 };
    expect(constantInts(graph, y)).toEqual([4]);
    graph.setInput(graph.get('y'), 0, { node: 'y/Const', port: 0 });
    expect(constantInts(graph, y)).toEqual([2]);
  });

  it('costs the same for each node, however deep the graph is and however often a tensor is used', () => {
    const nodes: NodeSpec[] = [constant('n0', [1], [])];
    for (let i = 1; i <= 50_000; i++) {
      nodes.push(
        i <= 60 ? node(`n${i}`, 'Add', [`n${i - 1}`, `n${i - 1}`], T_FLOAT) : node(`n${i}`, 'Identity', [`n${i - 1}`]),
      );
    }
    expect(constantScalar(new Graph(nodes), { node: 'n50000', port: 0 })).toBe(2 ** 60);
  });
});
