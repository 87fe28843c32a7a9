import { expect, it } from 'vitest';
import { freeze } from '../src/freeze.js';
import { graphOf, node, placeholder, T_FLOAT } from './support/build.js';

it('refuses a graph that reads a port which is not there, before anything is changed', () => {
  const graph = graphOf([placeholder('x'), node('out', 'Relu', ['x:1'], T_FLOAT)]);
  const model = { name: 'graph.pb', graph, meta: {}, weights: undefined, byteLength: 0 };
  expect(() => freeze(model, { outputs: ['out'] })).toThrow(
    expect.objectContaining({
      code: 'unreadable',
      message: 'out reads x:1, which does not exist',
      why: 'x (Placeholder) has 1 outputs',
    }),
  );
});
