import { describe, expect, it } from 'vitest';
import { attrInts, attrShape, attrType } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { readNumbers } from '../../src/graph/tensor.js';
import { parseGraph } from '../../src/notation/parse.js';

const ref = (node: string, port = 0) => ({ node, port });

describe('names', () => {
  it('are those of the line for a node, and scope/Op for those in its inputs', () => {
    const graph = parseGraph('y = Mul(Floor(a), Sub(Floor(b), Floor(c)))');
    expect(graph.get('y').inputs).toEqual([ref('y/Floor'), ref('y/Sub')]);
    expect(graph.get('y/Sub').inputs).toEqual([ref('y/Floor_1'), ref('y/Floor_2')]);
    expect(graph.get('y/Floor_2').inputs).toEqual([ref('c')]);
  });

  it('of lines without one are the op, counted', () => {
    const graph = parseGraph('NoOp(^a)\nNoOp(^b)');
    expect(graph.get('NoOp').controls).toEqual(['a']);
    expect(graph.get('NoOp_1').controls).toEqual(['b']);
  });

  it('may be any, in backticks', () => {
    expect(parseGraph('`1 odd:name` = Relu(`true`)').get('1 odd:name').inputs).toEqual([ref('true')]);
  });

  it('that no line defines are float32 placeholders of unknown shape', () => {
    const node = parseGraph('y = Relu(x)').get('x');
    expect(node).toMatchObject({ op: 'Placeholder', attr: { dtype: { type: DataType.DT_FLOAT } } });
    expect(attrShape(node, 'shape')).toBeUndefined();
  });
});

describe('edges', () => {
  it('have ports, and control inputs come apart', () => {
    const node = parseGraph('y = Sub(bn:1, Split(0, x)[num_split=2]:1, ^init)').get('y');
    expect(node.inputs).toEqual([ref('bn', 1), ref('y/Split', 1)]);
    expect(node.controls).toEqual(['init']);
  });

  it('go back in a loop', () => {
    const graph = parseGraph('m = Merge(Enter(x), n)[N=2], n = NextIteration(m)');
    expect(graph.get('m').inputs).toEqual([ref('m/Enter'), ref('n')]);
    expect(attrType(graph.get('n'), 'T')).toBe(DataType.DT_FLOAT);
  });
});

describe('arithmetic', () => {
  it('binds as usual', () => {
    const graph = parseGraph('y = a + b * (c - d) / e');
    expect(graph.get('y').op).toBe('AddV2');
    expect(graph.get('y/RealDiv').inputs).toEqual([ref('y/Mul'), ref('e')]);
    expect(graph.get('y/Mul').inputs).toEqual([ref('b'), ref('y/Sub')]);
  });

  it('needs spaces, since a/b and a-b are names', () => {
    expect(parseGraph('y = Sub(a/b, a-b)').get('y').inputs).toEqual([ref('a/b'), ref('a-b')]);
  });
});

describe('constants', () => {
  it.each([
    ['3', 'DT_INT32', [], [3]],
    ['[1, 2]', 'DT_INT32', [2], [1, 2]],
    ['[1, 2.5]', 'DT_FLOAT', [2], [1, 2.5]],
    ['[]', 'DT_FLOAT', [0], []],
    ['[[1.0], [-2.0]]', 'DT_FLOAT', [2, 1], [1, -2]],
    ['true', 'DT_BOOL', [], [1]],
    ['[inf, -inf, nan]', 'DT_FLOAT', [3], [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]],
    ['Const[false]', 'DT_BOOL', [], [0]],
    ['Const[float64, value=[1, 2]]', 'DT_DOUBLE', [2], [1, 2]],
    ['Const[int64, shape=[2, 2], value=7]', 'DT_INT64', [2, 2], [7, 7, 7, 7]],
    ['Const[shape=[2, 2], value=[1, 2, 3, 4]]', 'DT_INT32', [2, 2], [1, 2, 3, 4]],
  ] as const)('%s', (text, dtype, shape, values) => {
    const tensor = parseGraph(`c = ${text}`).get('c').tensor!;
    expect([DataType[tensor.dtype], tensor.shape, [...readNumbers(tensor)]]).toEqual([dtype, shape, values]);
  });

  it('that are abbreviated have dtype and shape, and no numbers', () => {
    const tensor = parseGraph('w = float32[3, 3] #91f0').get('w').tensor!;
    expect([tensor.dtype, tensor.shape, tensor.byteLength]).toEqual([DataType.DT_FLOAT, [3, 3], 36]);
    expect(() => readNumbers(tensor)).toThrow('the numbers of the constant #91f0 are not in the text');
  });
});

describe('attrs', () => {
  it('are of the kind that they look like', () => {
    const { attr } = parseGraph('y = Op[a=true, b=2, c=2.0, d=SAME, e="a b", f=half, g=@fn, keep_dims]').get('y');
    expect(attr).toMatchObject({ a: { b: true }, b: { i: 2 }, c: { f: 2 }, f: { type: DataType.DT_HALF } });
    expect(attr).toMatchObject({ g: { func: { name: 'fn' } }, keep_dims: { b: true } });
    expect([attr.d, attr.e].map((value) => new TextDecoder().decode(value!.s!))).toEqual(['SAME', 'a b']);
  });

  it('are shapes under the key shape and where a size is not known, and lists of ints elsewhere', () => {
    const node = parseGraph(
      'y = Op[a=[?, 2], b=shape[1, 2], c=[1, 2], shape=[3], d_shape=ints[4], shapes=[[5], ?]]',
    ).get('y');
    expect(['a', 'b', 'shape'].map((key) => attrShape(node, key))).toEqual([[-1, 2], [1, 2], [3]]);
    expect(['c', 'd_shape'].map((key) => attrInts(node, key))).toEqual([[1, 2], [4]]);
    expect(node.attr.shapes?.list?.shape).toEqual([{ dim: [{ size: 5 }] }, { unknown_rank: true }]);
  });

  it('that are types follow from the inputs', () => {
    const graph = parseGraph(`
      i = Placeholder[int32]
      relu = Relu(Cast(i)[DstT=half])
      pick = Select(true, i, i)
      both = IdentityN(i, relu)
      handle = VarHandleOp[int64]
      read = ReadVariableOp(Identity(handle))
      random = RandomUniform(i)
      bn = FusedBatchNormV3(relu, a, b, c, d)
      none = Relu(i)[-T]
      own = Relu(i)[T=float]`);
    const types = (key: string, ...names: string[]) => names.map((name) => attrType(graph.get(name), key));
    expect(types('T', 'relu', 'pick', 'read/Identity', 'bn', 'none', 'own')).toEqual([
      DataType.DT_HALF,
      DataType.DT_INT32,
      DataType.DT_RESOURCE,
      DataType.DT_HALF,
      undefined,
      DataType.DT_FLOAT,
    ]);
    expect(types('dtype', 'read', 'random')).toEqual([DataType.DT_INT64, DataType.DT_FLOAT]);
    expect(types('U', 'bn')).toEqual([DataType.DT_FLOAT]);
    expect(graph.get('both').attr.T?.list?.type).toEqual([DataType.DT_INT32, DataType.DT_HALF]);
  });
});

it.each([
  ['y = x', 1, 'x is a tensor: write Identity(x)'],
  ['y = Relu(x', 1, 'expected ,, found the end'],
  ['y = Relu(x) z', 1, 'unexpected z'],
  ['a = Relu(x)\n\na = Relu(x)', 3, 'a is defined twice'],
  ['y = Mul(Relu(x), b)\ny/Relu = Relu(x)', 2, 'y/Relu is defined twice'],
  ['c = [[1, 2], [3]]', 1, 'rows of different lengths'],
  ['c = Const[int32, shape=[3], value=[1, 2]]', 1, '2 values for a constant of shape [3]'],
  ['c = Const[int32]', 1, 'a constant without a value'],
  ['y = Op[a=[1, true]]', 1, 'a lists values of several kinds'],
  ['# fine\ny = Relu(x) on gpu', 2, 'unexpected on'],
  ['y = !', 1, 'unexpected !'],
])('refuses %j', (text, line, message) => {
  expect(() => parseGraph(text)).toThrow(
    expect.objectContaining({ code: 'unreadable', message, where: `line ${line}` }),
  );
});
