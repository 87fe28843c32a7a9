import { describe, expect, it } from 'vitest';
import { assertStillFed, fedBy } from '../../src/freezing/still_fed.js';
import { constant, graphOf, node, placeholder, T_FLOAT } from '../support/build.js';
import { failure } from '../support/failure.js';

const net = () =>
  graphOf([
    placeholder('x'),
    placeholder('mask'),
    placeholder('unused'),
    constant('c', [1]),
    node('product', 'Mul', ['x', 'mask'], T_FLOAT),
    node('sum', 'AddV2', ['product', 'c', '^unused'], T_FLOAT),
    node('other', 'Relu', ['x'], T_FLOAT),
  ]);

const OUTPUTS = [
  { node: 'sum', port: 0 },
  { node: 'other', port: 0 },
];

describe('fedBy', () => {
  it('names the placeholders whose data reaches each output', () => {
    expect(fedBy(net(), OUTPUTS)).toEqual(
      new Map([
        ['sum', new Set(['x', 'mask'])],
        ['other', new Set(['x'])],
      ]),
    );
  });

  it('counts a placeholder with a default, and an output that is a placeholder', () => {
    const graph = graphOf([constant('c', [1]), node('x', 'PlaceholderWithDefault', ['c'])]);
    expect(fedBy(graph, [{ node: 'x', port: 0 }])).toEqual(new Map([['x', new Set(['x'])]]));
  });

  it('names an output as a NodeDef does', () => {
    const graph = graphOf([placeholder('x'), node('parts', 'Split', ['x'])]);
    expect([...fedBy(graph, [{ node: 'parts', port: 1 }]).keys()]).toEqual(['parts:1']);
  });
});

describe('assertStillFed', () => {
  it('accepts a graph whose outputs are fed as before, or by more', () => {
    const graph = net();
    const before = fedBy(graph, OUTPUTS);
    graph.setInput(graph.get('other'), 0, { node: 'product', port: 0 });
    expect(() => assertStillFed(before, fedBy(graph, OUTPUTS))).not.toThrow();
  });

  it('refuses one that lost an input', () => {
    const graph = net();
    const before = fedBy(graph, OUTPUTS);
    graph.setInput(graph.get('product'), 1, { node: 'c', port: 0 });
    const error = failure(() => assertStillFed(before, fedBy(graph, OUTPUTS)));
    expect(error).toMatchObject({
      code: 'internal',
      message: 'the output sum no longer depends on mask',
      where: 'sum',
      data: { output: 'sum', lost: ['mask'] },
    });
  });
});
