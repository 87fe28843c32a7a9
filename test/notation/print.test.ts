import { describe, expect, it } from 'vitest';
import { DataType } from '../../src/graph/dtype.js';
import { Graph } from '../../src/graph/graph.js';
import { numberTensor } from '../../src/graph/tensor.js';
import { parseGraph } from '../../src/notation/parse.js';
import { printGraph } from '../../src/notation/print.js';

describe('prints', () => {
  it.each([
    ['nodes in topological order', 'b = Relu(a), a = Tanh(x)', 'a = Tanh(x)\nb = Relu(a)\n'],
    ['attrs by name', 'y = Op(x)[b=1, a="x y"]', 'y = Op(x)[a="x y", b=1]\n'],
    ['no type that follows from the inputs', 'y = Relu(x)[T=float]', 'y = Relu(x)\n'],
    ['a type that does not', 'y = Relu(x)[T=half]', 'y = Relu(x)[T=float16]\n'],
    ['that a type is missing', 'y = Relu(x)[-T]', 'y = Relu(x)[-T]\n'],
    [
      'a nested node where it has only one reader',
      'a = Relu(x), y = Neg(y/Tanh), y/Tanh = Tanh(a)',
      'a = Relu(x)\ny = Neg(Tanh(a))\n',
    ],
    [
      'a node of its own where it has several',
      'y = Mul(y/Relu, y/Relu), y/Relu = Relu(x)',
      'y/Relu = Relu(x)\ny = Mul(y/Relu, y/Relu)\n',
    ],
    ['a device', 'y = Relu(x) on /device:GPU:0', 'y = Relu(x) on /device:GPU:0\n'],
    ['odd names in backticks', '`a b` = NoOp()', '`a b` = NoOp()\n'],
    ['the shortest float32', 'c = [0.10000000149, 1e-30, 3.0]', 'c = [0.1, 1e-30, 3.0]\n'],
    ['a dtype that numbers do not show', 'c = Const[float64, value=0.1]', 'c = Const[float64, value=0.1]\n'],
    [
      'one number for a large constant of one value',
      'c = Const[shape=[5, 5], value=0.5]',
      'c = Const[float32, shape=[5, 5], value=0.5]\n',
    ],
    [
      'a constant that waits for something',
      'c = Const(^a)[value=1.0], a = NoOp()',
      'a = NoOp()\nc = Const(^a)[value=1.0]\n',
    ],
    ['a placeholder that nothing reads', 'x = Placeholder[float]', 'x = Placeholder()\n'],
  ])('%s', (_, given, expected) => {
    expect(printGraph(parseGraph(given))).toBe(expected);
  });

  it('a hash for a large constant, which depends on its bytes', () => {
    const text = (last: number) => {
      const tensor = numberTensor(DataType.DT_FLOAT, [17], [...Array(16).keys(), last]);
      return printGraph(new Graph([{ name: 'w', op: 'Const', tensor, attr: { dtype: { type: DataType.DT_FLOAT } } }]));
    };
    expect(text(1)).toBe('w = float32[17] #3b9be6a5\n');
    expect(text(2)).not.toBe(text(1));
    expect(printGraph(parseGraph(text(1)))).toBe(text(1));
  });
});

describe('a part of a graph', () => {
  const graph = parseGraph(`
    x = Placeholder[shape=[?, 8]]
    a = MatMul(x, float32[8, 8] #1)
    b = BiasAdd(a, [1.0, 2.0])
    c = Relu(b)
    d = Tanh(c, ^init)
    e = Sigmoid(d)`);

  it('is what is around a node, its edge without inputs', () => {
    expect(printGraph(graph, { around: 'c', distance: 1 })).toBe(
      '# 3 of 9 nodes, around c\na = MatMul(...)\nb = BiasAdd(a, [1.0, 2.0])\nc = Relu(b)\ninit = NoOp()\nd = Tanh(c, ^init)\n',
    );
  });

  it('can be read', () => {
    expect([...parseGraph(printGraph(graph, { around: 'c' })).nodes()].map(({ name }) => name).sort()).toEqual(
      ['a', 'a/Const', 'b', 'b/Const', 'c', 'd', 'e', 'init', 'x'].sort(),
    );
  });

  it('has a node in it that exists', () => {
    expect(() => printGraph(graph, { around: 'z' })).toThrow('node z not found');
  });
});
