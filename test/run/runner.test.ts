import { describe, expect, it } from 'vitest';
import { Runner } from '../../src/run/runner.js';
import { numbersOf, type TensorValue } from '../../src/run/value.js';
import { constant, graphOf, node, placeholder, T_FLOAT } from '../support/build.js';
import { failure, floats } from '../support/run.js';

/** y = x * x, z = -y, w = z + 1. */
const chain = () =>
  graphOf([
    placeholder('x'),
    constant('one', [1], []),
    node('y', 'Mul', ['x', 'x'], T_FLOAT),
    node('z', 'Neg', ['y'], T_FLOAT),
    node('w', 'Add', ['z', 'one'], T_FLOAT),
  ]);

describe('Runner', () => {
  it('runs a graph that is loaded once with several inputs, and other fetches each time', async () => {
    const runner = new Runner(chain(), ['x'], ['y', 'w:0']);
    const two = await runner.run({ x: floats([1], [2]) }, ['w:0', 'y']);
    const three = await runner.run({ x: floats([2], [3, 4]) }, ['y']);
    expect(Object.entries(two).map(([name, value]) => [name, ...numbersOf(value)])).toEqual([
      ['w:0', -3],
      ['y', 4],
    ]);
    expect(Object.entries(three).map(([name, value]) => [name, ...numbersOf(value)])).toEqual([['y', 9, 16]]);
    runner.close();
  });

  it('hands tensors over in the order of computation, and keeps none of them', async () => {
    const core = await import('@tensorflow/tfjs-core');
    const runner = new Runner(chain(), ['x'], ['w', 'z', 'y']);
    const seen: [string, TensorValue, number][] = [];
    await runner.visit({ x: floats([1], [2]) }, ['w', 'z', 'y'], () => (name, value) => {
      seen.push([name, value, core.memory().numTensors]);
    });
    expect(seen.map(([name, value]) => [name, ...numbersOf(value)])).toEqual([
      ['y', 4],
      ['z', -4],
      ['w', -3],
    ]);
    runner.close();
    expect(core.memory().numTensors).toBe(0);
  });

  it('names the node that fails, however far into the graph it is', async () => {
    const nodes = [placeholder('x0')];
    for (let i = 0; i < 50; i++) nodes.push(node(`x${i + 1}`, 'Neg', [`x${i}`], T_FLOAT));
    nodes.push(constant('wide', [1, 2, 3], [3]), node('bad', 'Add', ['x20', 'wide'], T_FLOAT));
    nodes.push(node('end', 'Mul', ['bad', 'bad'], T_FLOAT));
    const error = await failure(graphOf(nodes), { x0: floats([2], [1, 2]) }, 'end');
    expect([error.message, error.where, error.data]).toEqual([
      'TensorFlow.js cannot run bad (Add)',
      'bad',
      { misfit: true },
    ]);
  });
});
