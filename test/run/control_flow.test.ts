import { describe, expect, test } from 'vitest';
import { type AttrMap, attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { tensorValue } from '../../src/run/value.js';
import { graphOf, node, placeholder, T_FLOAT } from '../support/build.js';
import { answer, cond, floats, loop, loopAfterLoop } from '../support/run.js';

describe('control flow and functions', () => {
  const flag = (on: boolean) => tensorValue('bool', [], [on ? 1 : 0]);

  test('a branch is taken by its predicate', async () => {
    expect(await answer(cond('negative'), { x: floats([1], [3]), flag: flag(true) }, 'out')).toEqual([6]);
    expect(await answer(cond('negative'), { x: floats([1], [3]), flag: flag(false) }, 'out')).toEqual([-3]);
  });

  test('a branch that is a constant is taken only where its predicate says so', async () => {
    expect(await answer(cond('seven'), { x: floats([1], [3]), flag: flag(true) }, 'out')).toEqual([6]);
    expect(await answer(cond('seven'), { x: floats([1], [3]), flag: flag(false) }, 'out')).toEqual([7]);
  });

  test('a loop runs as often as it says', async () => {
    for (const n of [0, 1, 10]) {
      expect(await answer(loop(), { n: tensorValue('int32', [], [n]) }, 'exit_p')).toEqual([2 ** n]);
    }
  });

  test('a loop waits for what it reads from outside', async () => {
    const n = tensorValue('int32', [], [2]);
    expect(await answer(loopAfterLoop(), { n }, 'second/exit_p')).toEqual([16]);
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
