import { describe, expect, it } from 'vitest';
import { constantInts, constantScalar, constantValue } from '../../../src/analysis/values/constants.js';
import { Graph } from '../../../src/graph/graph.js';
import type { NodeSpec, TensorRef } from '../../../src/graph/node.js';
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
    ['y = StridedSlice([5], i, j, k)[shrink_axis_mask=1]', single(5)],
    ['y = SelectV2(false, 1, 2)', single(2)],
    ['y = Cast(2.7)[SrcT=float32, DstT=int32]', single(2)],
    ['y = Cast(0.5)[SrcT=float32, DstT=bool]', single(1)],
    ['y = Cast(0.0)[SrcT=float32, DstT=bool]', single(0)],
    ['i = IdentityN(1, 2)\ny = Identity(i:1)', single(2)],
    ['y = Select([true, false], [1, 2], [3, 4])', list(1, 4)],
    ['y = Select(true, [1, 2], [3, 4])', list(1, 2)],
    ['y = SelectV2([true, false], [1, 2], 5)', list(1, 5)],
    ['y = SelectV2([[true], [false]], [1, 2], 5)', { shape: [2, 2], values: [1, 2, 5, 5] }],
    ['y = Add([[[1], [2]]], [10, 20, 30])', { shape: [1, 2, 3], values: [11, 21, 31, 12, 22, 32] }],
    ['y = Add([[1], [2]], [[[10, 20]], [[30, 40]]])', { shape: [2, 2, 2], values: [11, 21, 12, 22, 31, 41, 32, 42] }],
    ['y = Mul(0.1, 0.1)', single(Math.fround(Math.fround(0.1) * Math.fround(0.1)))],
    ['y = Cast(true)[SrcT=bool, DstT=int32]', single(1)],
    ['y = Cast(300)[SrcT=int32, DstT=uint8]', single(44)],
    ['y = Cast(-1.9)[SrcT=float32, DstT=int32]', single(-1)],
    ['y = Cast(3e9)[SrcT=float32, DstT=int32]', single('?')],
    ['y = Cast(Const[float64, value=0.1])[SrcT=float64, DstT=float32]', single(Math.fround(0.1))],
    // TensorFlow rounds twice.
    ['y = Cast(Const[float64, value=1.00048828126])[SrcT=float64, DstT=float16]', single(1)],
    ['y = Cast(Const[float64, value=1.00048828126])[SrcT=float64, DstT=float64]', single(1.00048828126)],
    [
      'n = StridedSlice(Shape(x), [0], [1], [1])[shrink_axis_mask=1]\ny = Cast(Pack(n, 3))[SrcT=int32, DstT=bool]',
      list('?', 1),
    ],
    [
      'n = StridedSlice(Shape(x), [0], [1], [1])[shrink_axis_mask=1]\ny = Cast(Pack(n, 3))[SrcT=int32, DstT=int64]',
      list('?', 3),
    ],
    ['y = Shape(Identity(float32[512, 1024] #00000000))', list(512, 1024)],
    ['y = Rank(float32[512, 1024] #00000000)', single(2)],
    ['y = Size(float32[512, 1024] #00000000)', single(524_288)],
    ['y = Select(true, 1.0, x)', single(1)],
    ['s = Switch(3, c)\ny = Enter(s:1)[frame_name=f]', single(3)],
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
    'y = Shape(x)',
    'y = Identity("text")',
    'y = Add([1, 2], [1, 2, 3])',
    // One condition per row.
    'y = Select([true, false], [[1, 2], [3, 4]], [[5, 6], [7, 8]])',
    'y = BiasAdd([[1, 2], [3, 4]], [10, 100])[data_format=NCHW]',
    'y = Cast(2.7)[SrcT=float32, DstT=int32, Truncate=true]',
    'y = Mul([[1], [2]], Const[int32, shape=[1, 8193], value=1])',
    // The unknown operand may have more dimensions.
    'y = SelectV2(true, 1.0, x)',
    'y = MulNoNan(x, 0.0)',
    'y = Pow(x, 0.0)',
    'c = Placeholder[bool]\ny = LogicalAnd([false, true], c)',
    'y = StridedSlice([[5]], i, j, k)[shrink_axis_mask=1]',
    'y = StridedSlice([5], i, j, k)[shrink_axis_mask=1, new_axis_mask=2]',
    'y = Add(z, 1)\nz = Identity(y)',
    `y = AddN(${Array.from({ length: 1001 }, () => '1').join(', ')})`,
  ])('nothing is known of %s, not even how many numbers it has', (text) => {
    expect(valueOfY(text)).toBeUndefined();
  });

  it('has 16,384 elements at most', () => {
    const count = (text: string) => valueOfY(text)?.values.length;
    expect(count('y = Mul([[1], [2]], Const[int32, shape=[1, 8192], value=1])')).toBe(16_384);
    expect(count('y = Const[int32, shape=[16384], value=1]')).toBe(16_384);
    expect(count('y = Const[int32, shape=[16385], value=1]')).toBeUndefined();
    expect(count('y = Fill([16385], 1)')).toBeUndefined();
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

  it('forgets large values, and then large constants, where there are too many', () => {
    const known = (size: number, count: number) => {
      const graph = parseGraph(
        Array.from({ length: count }, (_, i) => `n${i} = Neg(Const[int32, shape=[${size}], value=${i + 1}])`).join(
          '\n',
        ),
      );
      return Array.from({ length: count }, (_, i) => constantValue(graph, { node: `n${i}`, port: 0 })).filter(Boolean)
        .length;
    };
    expect(known(64, 1100)).toBe(1100);
    const size = 4096;
    const count = 300;
    // A node and its constant count each; so do 64 elements for every node.
    expect(known(size, count)).toBe(Math.floor((2 ** 21 + 64 * 2 * count) / size / 2));
  });

  it('reads a variable handle that is pinned through its read', () => {
    const graph = parseGraph('v = VarHandleOp[bool, shape=[]]\ny = ReadVariableOp(v)[dtype=bool]');
    expect(constantScalar(graph, { node: 'y', port: 0 }, new Map([['v', 1]]))).toBe(1);
  });

  it('has a number, or integers, where all of it is known', () => {
    const graph = parseGraph(
      'a = [1, 2]\nb = Pack(StridedSlice(Shape(x), [0], [1], [1])[shrink_axis_mask=1], 3)\nc = [5]\nd = Slice(b, [0], [1])',
    );
    const read = <T>(of: (graph: Graph, ref: TensorRef) => T) =>
      ['a', 'b', 'c', 'd'].map((node) => of(graph, { node, port: 0 }));
    expect(read(constantInts)).toEqual([[1, 2], undefined, [5], undefined]);
    expect(read(constantScalar)).toEqual([undefined, undefined, 5, undefined]);
    expect([constantInts(graph, undefined), constantScalar(graph, undefined)]).toEqual([undefined, undefined]);
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
