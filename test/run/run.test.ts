import { afterEach, describe, expect, test, vi } from 'vitest';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { stringTensor } from '../../src/graph/tensor.js';
import { runGraph } from '../../src/run/run.js';
import { numbersOf, stringsOf, type TensorValue, tensorValue } from '../../src/run/value.js';
import { constant, constantOf, graphOf, node, placeholder, T_FLOAT } from '../support/build.js';
import { answer, cond, counted, failure, floats, rounded } from '../support/run.js';

describe('values', () => {
  test('numbers are rounded to the dtype and read back', () => {
    expect([...numbersOf(tensorValue('float16', [2], [1.0004, -2]))]).toEqual([1, -2]);
    expect([...numbersOf(tensorValue('bfloat16', [1], [1.00390625]))]).toEqual([1]);
    expect(tensorValue('int64', [1], [-2]).data).toEqual(BigInt64Array.of(-2n));
    expect(tensorValue('bool', [2], [3, 0]).data).toEqual(Uint8Array.of(1, 0));
    expect(tensorValue('complex64', [1], [1, -2]).data).toEqual(Float32Array.of(1, -2));
  });

  test('strings keep bytes that are no text, and empty ones', () => {
    const strings = [new Uint8Array([255, 0]), new Uint8Array(), new Uint8Array([65])];
    expect(stringsOf(tensorValue('string', [3], strings))).toEqual(strings);
  });

  test.each<[string, () => unknown, string]>([
    [
      'too few',
      () => tensorValue('float32', [2, 2], [1]),
      'takes 4 elements in a Float32Array, not 1 in a Float32Array',
    ],
    ['no dtype', () => tensorValue('float33', [], [1]), 'unknown dtype float33'],
    [
      'no typed array',
      () => numbersOf({ dtype: 'qint8', shape: [1], data: Int8Array.of(1) }),
      'a qint8 tensor cannot be',
    ],
    [
      'raw bytes',
      () => numbersOf({ dtype: 'int32', shape: [1], data: new Uint8Array(4) }),
      'in an Int32Array, not 4 in a',
    ],
    [
      'strings as bytes',
      () => stringsOf({ dtype: 'string', shape: [1], data: new Uint8Array(5) }),
      'in an Array, not 5',
    ],
    ['strings for numbers', () => numbersOf(tensorValue('string', [0], [])), 'a string tensor has no numbers'],
    ['numbers for strings', () => stringsOf(tensorValue('bool', [1], [1])), 'a bool tensor has no strings'],
  ])('%s: is refused', (_, work, message) => {
    expect(work).toThrow(message);
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
    await runGraph(cond('negative'), { x: floats([1], [3]), flag: tensorValue('bool', [], [1]) }, ['out']);
    await failure(square(), {}, 'z');
    const x = floats([2], [1, 2]);
    await Promise.all([runGraph(square(), { x }, ['z']), runGraph(square(), { x }, ['y'])]);
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
      const { y } = await runGraph(graph, { x: tensorValue(dtype, [2], [3, 5]) }, ['y']);
      expect(y).toEqual(tensorValue(dtype, [2], [6, 10]));
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
    const feeds = { flags: tensorValue('bool', [2], [1, 0]), c };
    const results = await runGraph(graph, feeds, ['not', 'same', 'numbers', 'imag', 'c_same']);
    expect(results.not).toEqual(tensorValue('bool', [2], [0, 1]));
    expect(stringsOf(results.same!).map((text) => Buffer.from(text).toString())).toEqual(['1.5', ' -2e3']);
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
    expect(await answer(graph, { x: tensorValue('int64', [3], [7, 8, 9]) }, 'rest')).toEqual([8, 9]);
    const error = await failure(graph, { x: tensorValue('int64', [1], [2 ** 40]) }, 'rest');
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
    expect([shape.code, shape.message]).toEqual(['usage', 'x is [?,2], but its value is [2]']);
    const dtype = await failure(graph, { x: tensorValue('int32', [1, 2], [1, 2]) }, 'x');
    expect([dtype.code, dtype.message]).toEqual(['usage', 'x is float32, but its value is int32']);
    const fetch = await failure(graph, {}, 'x:1');
    expect([fetch.code, fetch.message]).toEqual(['usage', 'tensor x:1 not found in the graph']);
    const kernel = await failure(
      graphOf([placeholder('a'), placeholder('b'), node('y', 'MatMul', ['a', 'b'], T_FLOAT)]),
      { a: counted([2, 3]), b: counted([2, 3]) },
      'y',
    );
    expect([kernel.code, kernel.message]).toEqual(['unsupported', 'TensorFlow.js cannot run y (MatMul)']);
    expect([kernel.where, kernel.data]).toEqual(['y', { misfit: true }]);
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
