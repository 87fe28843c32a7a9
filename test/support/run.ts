import { expect } from 'vitest';
import { BnfixError } from '../../src/errors.js';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import type { Graph } from '../../src/graph/graph.js';
import { elementCount } from '../../src/graph/tensor.js';
import { runGraph } from '../../src/run/run.js';
import { numbersOf, type TensorValue, tensorValue } from '../../src/run/value.js';
import { constant, graphOf, node, placeholder, T_FLOAT } from './build.js';

export const floats = (shape: readonly number[], numbers: readonly number[]) => tensorValue('float32', shape, numbers);

/** Numbers without a pattern that a wrong layout would hide: ((7 i) mod 11) - 4 + i / 16. */
export function counting(shape: readonly number[]): number[] {
  return Array.from({ length: elementCount(shape) }, (_, i) => ((i * 7) % 11) - 4 + i / 16);
}

export const counted = (shape: readonly number[]) => floats(shape, counting(shape));

/** The same numbers as the literal of a constant in the notation of graphs. */
export function literal(shape: readonly number[]): string {
  const numbers = counting(shape).map((number) => number.toFixed(4));
  const nested = (axis: number, from: number, size: number): string => {
    if (axis === shape.length) return numbers[from]!;
    const step = size / shape[axis]!;
    return `[${Array.from({ length: shape[axis]! }, (_, i) => nested(axis + 1, from + i * step, step)).join(', ')}]`;
  };
  return nested(0, 0, numbers.length);
}

/** Expects each number to half of the fourth place: results are float32, expected ones were printed. */
export const near = (numbers: readonly number[]) => numbers.map((x) => expect.closeTo(x, 4));

/** Numbers to five places. */
export const rounded = (value: TensorValue | undefined) =>
  Array.from(numbersOf(value!), (x) => Math.round(x * 1e5) / 1e5 + 0);

/** The one answer of a graph, as numbers to five places. */
export async function answer(graph: Graph, feeds: Record<string, TensorValue>, fetch: string): Promise<number[]> {
  return rounded((await runGraph(graph, feeds, [fetch]))[fetch]);
}

export async function failure(graph: Graph, feeds: Record<string, TensorValue>, fetch: string): Promise<BnfixError> {
  const thrown = await runGraph(graph, feeds, [fetch]).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(BnfixError);
  return thrown as BnfixError;
}

/** x doubled where the flag is set, otherwise -x or 7 (`negative`, `seven`); as tf.cond writes it. */
export function cond(otherwise: 'negative' | 'seven'): Graph {
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
    node('out', 'Merge', [otherwise, 'double'], { ...T_FLOAT, N: attr.int(2) }),
  ]);
}

/** 2 ** n by a loop, as tf.while_loop writes it. */
export function loop(): Graph {
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
    int('two', 2),
    node('enter_two', 'Enter', ['two'], { ...frame, is_constant: attr.bool(true) }),
    node('base', 'Identity', ['enter_two', '^body_i'], T),
    node('add', 'Add', ['body_i', 'step'], T),
    node('mul', 'Mul', ['switch_p:1', 'base'], T),
    node('next_i', 'NextIteration', ['add'], T),
    node('next_p', 'NextIteration', ['mul'], T),
    node('exit_p', 'Exit', ['switch_p'], T),
  ]);
}

/** 2 ** 2 ** n: one loop, and another one which reads the result of the first as its bound. */
export function loopAfterLoop(): Graph {
  const graph = loop();
  for (const { name, op, inputs, controls, attr: attrs, tensor } of [...graph.nodes()]) {
    if (name === 'n') continue;
    const second = (input: string) => (input === 'n' ? 'exit_p' : `second/${input}`);
    graph.add({
      name: `second/${name}`,
      op,
      inputs: inputs.map(({ node: input, port }) => ({ node: second(input), port })),
      controls: controls.map(second),
      attr: op === 'Enter' ? { ...attrs, frame_name: attr.string('second') } : attrs,
      ...(tensor && { tensor }),
    });
  }
  return graph;
}
