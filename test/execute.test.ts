import { afterEach, describe, expect, test, vi } from 'vitest';
import { BnfixError } from '../src/errors.js';
import { runGraph } from '../src/execute/run.js';
import { numbersOf, stringsOf, type TensorValue, valueOfNumbers, valueOfStrings } from '../src/execute/value.js';
import { type AttrMap, attr } from '../src/graph/attrs.js';
import { DataType } from '../src/graph/dtype.js';
import type { Graph } from '../src/graph/graph.js';
import { stringTensor } from '../src/graph/tensor.js';
import { constant, constantOf, graphOf, ints, node, placeholder, T_FLOAT } from './support/build.js';

const floats = (shape: readonly number[], numbers: readonly number[]) => valueOfNumbers('float32', shape, numbers);
const counted = (shape: readonly number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return floats(
    shape,
    Array.from({ length: size }, (_, i) => ((i * 7) % 11) - 4 + i / 16),
  );
};
const rounded = (value: TensorValue | undefined) => Array.from(numbersOf(value!), (x) => Math.round(x * 1e5) / 1e5);

/** The one answer of a graph, as numbers. */
async function answer(graph: Graph, feeds: Record<string, TensorValue>, fetch: string): Promise<number[]> {
  return rounded((await runGraph(graph, feeds, [fetch]))[fetch]);
}

async function failure(graph: Graph, feeds: Record<string, TensorValue>, fetch: string): Promise<BnfixError> {
  const thrown = await runGraph(graph, feeds, [fetch]).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(BnfixError);
  return thrown as BnfixError;
}

describe('values', () => {
  test('numbers are rounded to the dtype and read back', () => {
    expect([...numbersOf(valueOfNumbers('float16', [2], [1.0004, -2]))]).toEqual([1, -2]);
    expect([...numbersOf(valueOfNumbers('bfloat16', [1], [1.00390625]))]).toEqual([1]);
    expect(valueOfNumbers('int64', [1], [-2]).data).toEqual(new Uint8Array([254, 255, 255, 255, 255, 255, 255, 255]));
    expect(valueOfNumbers('bool', [2], [3, 0]).data).toEqual(new Uint8Array([1, 0]));
  });

  test('strings keep bytes that are no text, and empty ones', () => {
    const strings = [new Uint8Array([255, 0]), new Uint8Array(), new Uint8Array([65])];
    const value = valueOfStrings([3], strings);
    expect(value.data.length).toBe(4 * 3 + 3);
    expect(stringsOf(value)).toEqual(strings);
  });

  test('what does not agree is said', () => {
    expect(() => valueOfNumbers('float32', [2, 2], [1])).toThrow('1 numbers do not fill the shape [2,2]');
    expect(() => valueOfNumbers('float33', [], [1])).toThrow('there is no dtype float33');
    const short: TensorValue = { dtype: 'float32', shape: [2], data: new Uint8Array(4) };
    expect(() => numbersOf(short)).toThrow('4 bytes are not a float32 tensor of shape [2]');
    const cut: TensorValue = { dtype: 'string', shape: [1], data: new Uint8Array([9, 0, 0, 0, 65]) };
    expect(() => stringsOf(cut)).toThrow('5 bytes are not a string tensor of shape [1]');
  });
});

describe('running a graph', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const square = () => graphOf([placeholder('x'), node('y', 'Mul', ['x', 'x'], T_FLOAT), node('z', 'Neg', ['y'])]);

  test('feeds any tensor, fetches any, several, by both spellings', async () => {
    const x = floats([2], [3, -4]);
    const results = await runGraph(square(), { 'x:0': x }, ['z', 'y:0', 'x']);
    expect(Object.entries(results).map(([name, value]) => [name, [...numbersOf(value)]])).toEqual([
      ['z', [-9, -16]],
      ['y:0', [9, 16]],
      ['x', [3, -4]],
    ]);
    expect(await answer(square(), { y: x }, 'z')).toEqual([-3, 4]);
    expect(await answer(square(), { y: x }, 'y')).toEqual([3, -4]);
  });

  test('leaves the graph as it is', async () => {
    const graph = square();
    await runGraph(graph, { y: floats([], [2]) }, ['z']);
    expect([...graph.nodes()].map(({ name }) => name)).toEqual(['x', 'y', 'z']);
    expect(graph.get('z').inputs).toEqual([{ node: 'y', port: 0 }]);
  });

  test('prints nothing, leaves no tensor behind, and gives the settings of the process back', async () => {
    const core = await import('@tensorflow/tfjs-core');
    const spies = [vi.spyOn(console, 'log'), vi.spyOn(console, 'warn'), vi.spyOn(console, 'error')];
    await runGraph(square(), { x: floats([2], [3, -4]) }, ['z', 'y']);
    await runGraph(cond([]), { x: floats([1], [3]), flag: valueOfNumbers('bool', [], [1]) }, ['out']);
    await failure(square(), {}, 'z');
    expect(core.memory().numTensors).toBe(0);
    expect(core.env().getBool('PROD')).toBe(false);
    expect(spies.flatMap((spy) => spy.mock.calls)).toEqual([]);
  });

  test('answers in the dtype of the graph', async () => {
    for (const [dtype, type] of [
      ['int64', DataType.DT_INT64],
      ['uint8', DataType.DT_UINT8],
      ['float64', DataType.DT_DOUBLE],
      ['float16', DataType.DT_HALF],
      ['bfloat16', DataType.DT_BFLOAT16],
    ] as const) {
      const attrs = { T: attr.type(type) };
      const graph = graphOf([
        placeholder('x', type),
        constant('two', [2], [], type),
        node('y', 'Mul', ['x', 'two'], attrs),
      ]);
      const { y } = await runGraph(graph, { x: valueOfNumbers(dtype, [2], [3, 5]) }, ['y']);
      expect(y).toEqual(valueOfNumbers(dtype, [2], [6, 10]));
    }
  });

  test('bool, string and complex tensors', async () => {
    const graph = graphOf([
      placeholder('flags', DataType.DT_BOOL),
      node('not', 'LogicalNot', ['flags']),
      constantOf('words', stringTensor([2], [Buffer.from('1.5'), Buffer.from(' -2e3')])),
      node('same', 'Identity', ['words'], { T: attr.type(DataType.DT_STRING) }),
      node('numbers', 'StringToNumber', ['words'], { out_type: attr.type(DataType.DT_FLOAT) }),
      placeholder('c', DataType.DT_COMPLEX64),
      node('imag', 'Imag', ['c'], { Tout: attr.type(DataType.DT_FLOAT) }),
      node('c_same', 'Identity', ['c'], { T: attr.type(DataType.DT_COMPLEX64) }),
    ]);
    const c: TensorValue = { dtype: 'complex64', shape: [2], data: floats([4], [1, 2, 3, -4]).data };
    const feeds = { flags: valueOfNumbers('bool', [2], [1, 0]), c };
    const results = await runGraph(graph, feeds, ['not', 'same', 'numbers', 'imag', 'c_same']);
    expect(results.not).toEqual(valueOfNumbers('bool', [2], [0, 1]));
    expect(stringsOf(results.same!).map(String)).toEqual(['1.5', ' -2e3'].map((text) => String(Buffer.from(text))));
    expect(rounded(results.numbers)).toEqual([1.5, -2000]);
    expect(rounded(results.imag)).toEqual([2, -4]);
    expect(results.c_same).toEqual(c);
  });

  test('an int64 that is not an int32 means the end in a constant, and is an error in a feed', async () => {
    const graph = graphOf([
      placeholder('x', DataType.DT_INT64),
      constant('begin', [1], [1], DataType.DT_INT64),
      constant('end', [2 ** 62], [1], DataType.DT_INT64),
      constant('step', [1], [1], DataType.DT_INT64),
      node('rest', 'StridedSlice', ['x', 'begin', 'end', 'step'], { T: attr.type(DataType.DT_INT64) }),
    ]);
    expect(await answer(graph, { x: valueOfNumbers('int64', [3], [7, 8, 9]) }, 'rest')).toEqual([8, 9]);
    const error = await failure(graph, { x: valueOfNumbers('int64', [1], [2 ** 40]) }, 'rest');
    expect(error.code).toBe('unsupported');
    expect(error.message).toBe('1099511627776 does not fit into the int32 that TensorFlow.js computes in');
  });

  test('errors name the tensor, the op, the node', async () => {
    const graph = graphOf([placeholder('x', DataType.DT_FLOAT, [-1, 2]), node('strange', 'LatherRinse', ['x'])]);
    const unknown = await failure(graph, { x: counted([1, 2]) }, 'strange');
    expect([unknown.code, unknown.message, unknown.where]).toEqual([
      'unsupported',
      'TensorFlow.js has no op LatherRinse',
      'strange',
    ]);
    const missing = await failure(graph, {}, 'strange');
    expect([missing.code, missing.message]).toEqual(['usage', 'the placeholder x has no value']);
    const shape = await failure(graph, { x: counted([2]) }, 'x');
    expect([shape.code, shape.message]).toEqual(['usage', 'x is [?,2], the value for it [2]']);
    const dtype = await failure(graph, { x: valueOfNumbers('int32', [1, 2], [1, 2]) }, 'x');
    expect([dtype.code, dtype.message]).toEqual(['usage', 'x is float32, the value for it int32']);
    const fetch = await failure(graph, {}, 'x:1');
    expect([fetch.code, fetch.message]).toEqual(['usage', 'there is no tensor x:1 in the graph']);
    const kernel = await failure(
      graphOf([placeholder('a'), placeholder('b'), node('y', 'MatMul', ['a', 'b'], T_FLOAT)]),
      { a: counted([2, 3]), b: counted([2, 3]) },
      'y',
    );
    expect([kernel.code, kernel.message]).toEqual(['unsupported', 'TensorFlow.js cannot run the graph']);
    expect(kernel.why).toContain('inner shapes (3) and (2)');
  });

  test('a placeholder with a default takes it, or what it is fed', async () => {
    const graph = graphOf([
      constant('one', [1], []),
      node('x', 'PlaceholderWithDefault', ['one'], { dtype: attr.type(DataType.DT_FLOAT), shape: attr.shape([]) }),
      node('y', 'Neg', ['x'], T_FLOAT),
    ]);
    expect(await answer(graph, {}, 'y')).toEqual([-1]);
    expect(await answer(graph, { x: floats([], [5]) }, 'y')).toEqual([-5]);
  });
});

/** x doubled where the flag is set, otherwise what the nodes in `constants` make; as tf.cond writes it. */
function cond(constants: readonly string[]): Graph {
  return graphOf([
    placeholder('x'),
    placeholder('flag', DataType.DT_BOOL),
    node('switch', 'Switch', ['flag', 'flag'], { T: attr.type(DataType.DT_BOOL) }),
    node('switch_f', 'Identity', ['switch:0'], { T: attr.type(DataType.DT_BOOL) }),
    node('switch_t', 'Identity', ['switch:1'], { T: attr.type(DataType.DT_BOOL) }),
    node('x_switch', 'Switch', ['x', 'flag'], T_FLOAT),
    constant('two', [2], [], DataType.DT_FLOAT, ['switch_t']),
    node('double', 'Mul', ['x_switch:1', 'two'], T_FLOAT),
    constant('seven', [7], [1], DataType.DT_FLOAT, ['switch_f']),
    node('negative', 'Neg', ['x_switch:0'], T_FLOAT),
    node('out', 'Merge', [constants[0] ?? 'negative', 'double'], { ...T_FLOAT, N: attr.int(2) }),
  ]);
}

/** 2 ** n by a loop, as tf.while_loop writes it. */
function loop(): Graph {
  const T = { T: attr.type(DataType.DT_INT32) };
  const frame = { ...T, frame_name: attr.string('while') };
  const int = (name: string, value: number, controls: string[] = []) =>
    constant(name, [value], [], DataType.DT_INT32, controls);
  return graphOf([
    placeholder('n', DataType.DT_INT32),
    int('zero', 0),
    int('one', 1),
    node('enter_i', 'Enter', ['zero'], frame),
    node('enter_p', 'Enter', ['one'], frame),
    node('enter_n', 'Enter', ['n'], { ...frame, is_constant: attr.bool(true) }),
    node('merge_i', 'Merge', ['enter_i', 'next_i'], T),
    node('merge_p', 'Merge', ['enter_p', 'next_p'], T),
    node('less', 'Less', ['merge_i', 'enter_n'], T),
    node('cond', 'LoopCond', ['less']),
    node('switch_i', 'Switch', ['merge_i', 'cond'], T),
    node('switch_p', 'Switch', ['merge_p', 'cond'], T),
    node('body_i', 'Identity', ['switch_i:1'], T),
    int('step', 1, ['body_i']),
    int('base', 2, ['body_i']),
    node('add', 'Add', ['body_i', 'step'], T),
    node('mul', 'Mul', ['switch_p:1', 'base'], T),
    node('next_i', 'NextIteration', ['add'], T),
    node('next_p', 'NextIteration', ['mul'], T),
    node('exit_p', 'Exit', ['switch_p'], T),
  ]);
}

describe('control flow and functions', () => {
  const flag = (on: boolean) => valueOfNumbers('bool', [], [on ? 1 : 0]);

  test('a branch is taken by its predicate', async () => {
    expect(await answer(cond([]), { x: floats([1], [3]), flag: flag(true) }, 'out')).toEqual([6]);
    expect(await answer(cond([]), { x: floats([1], [3]), flag: flag(false) }, 'out')).toEqual([-3]);
  });

  test('a branch that is a constant is taken only where its predicate says so', async () => {
    expect(await answer(cond(['seven']), { x: floats([1], [3]), flag: flag(true) }, 'out')).toEqual([6]);
    expect(await answer(cond(['seven']), { x: floats([1], [3]), flag: flag(false) }, 'out')).toEqual([7]);
  });

  test('a loop runs as often as it says', async () => {
    for (const n of [0, 1, 10]) {
      expect(await answer(loop(), { n: valueOfNumbers('int32', [], [n]) }, 'exit_p')).toEqual([2 ** n]);
    }
  });

  const float = DataType.DT_FLOAT;
  const arg = (name: string, type = float) => ({ name, type });
  const fn = (name: string, inputs: string[], ret: string, nodes: object[]) => ({
    signature: { name, input_arg: inputs.map((input) => arg(input)), output_arg: [arg('out')] },
    node_def: nodes,
    ret: { out: ret },
  });
  const library = {
    function: [
      fn('negate', ['a'], 'n:y:0', [{ name: 'n', op: 'Neg', input: ['a'], attr: T_FLOAT }]),
      fn('twice', ['a'], 'call:output:0', [
        { name: 'sum', op: 'Add', input: ['a', 'a'], attr: T_FLOAT },
        { name: 'call', op: 'PartitionedCall', input: ['sum:z:0'], attr: called('negate') },
      ]),
      fn('same', ['a'], 'a', []),
      fn('below_ten', ['a'], 'less:z:0', [
        {
          name: 'ten',
          op: 'Const',
          attr: { dtype: attr.type(float), value: { tensor: { dtype: 1, float_val: [10] } } },
        },
        { name: 'less', op: 'Less', input: ['a', 'ten:output:0'], attr: T_FLOAT },
      ]),
      fn('double', ['a'], 'sum:z:0', [{ name: 'sum', op: 'Add', input: ['a', 'a'], attr: T_FLOAT }]),
    ],
  };
  function called(name: string): AttrMap {
    const types = { list: { type: [float] } };
    return { Tin: types, Tout: types, f: { func: { name } } };
  }
  const branch = (name: string) => ({ func: { name } });
  const types = { Tin: { list: { type: [float] } }, Tout: { list: { type: [float] } } };

  test('calls, by name and by the call ops, one within another', async () => {
    const graph = graphOf(
      [
        placeholder('x'),
        node('call', 'StatefulPartitionedCall', ['x'], called('twice')),
        node('direct', 'negate', ['call']),
        node('out', 'Identity', ['direct'], T_FLOAT),
      ],
      { library },
    );
    expect(await answer(graph, { x: floats([1], [3]) }, 'call')).toEqual([-6]);
    expect(await answer(graph, { x: floats([1], [3]) }, 'out')).toEqual([6]);
  });

  test('If takes a branch, also one that hands its argument on', async () => {
    const graph = graphOf(
      [
        placeholder('x'),
        placeholder('flag', DataType.DT_BOOL),
        node('if', 'If', ['flag', 'x'], { ...types, then_branch: branch('twice'), else_branch: branch('same') }),
      ],
      { library },
    );
    expect(await answer(graph, { x: floats([1], [3]), flag: flag(true) }, 'if')).toEqual([-6]);
    expect(await answer(graph, { x: floats([1], [3]), flag: flag(false) }, 'if')).toEqual([3]);
  });

  test('While runs its body until the condition fails', async () => {
    const attrs = { T: { list: { type: [float] } }, cond: branch('below_ten'), body: branch('double') };
    const graph = graphOf([placeholder('x'), node('while', 'While', ['x'], attrs)], { library });
    expect(await answer(graph, { x: floats([], [3]) }, 'while')).toEqual([12]);
    expect(await answer(graph, { x: floats([], [11]) }, 'while')).toEqual([11]);
  });
});
