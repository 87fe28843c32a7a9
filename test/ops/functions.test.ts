import { describe, expect, it } from 'vitest';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { Graph } from '../../src/graph/graph.js';
import { addBody, FunctionLibrary } from '../../src/ops/functions.js';

const FLOAT = DataType.DT_FLOAT;

/** A graph with a placeholder `x`, a node of the given attrs that calls the function, and the function. */
function calling(op: string, attrs: object, fn: object): { graph: Graph; library: FunctionLibrary } {
  const graph = new Graph(
    [
      { name: 'x', op: 'Placeholder', attr: { dtype: attr.type(FLOAT) } },
      { name: 'call', op, inputs: [{ node: 'x', port: 0 }], attr: { ...attrs } },
    ],
    { library: { function: [fn] } },
  );
  return { graph, library: new FunctionLibrary(graph) };
}

const bodyFor = ({ graph, library }: ReturnType<typeof calling>) => {
  const called = library.calledBy(graph.get('call'));
  expect(called).toBeDefined();
  return library.bodyOf(called!);
};

const split = {
  signature: {
    name: 'f',
    attr: [{ name: 'T', type: 'type' }],
    input_arg: [{ name: 'a', type_attr: 'T' }],
    output_arg: [{ name: 'o', type_attr: 'T' }],
  },
  node_def: [
    { name: 'axis', op: 'Const', attr: { dtype: attr.type(3), value: { tensor: { dtype: 3, int_val: [0] } } } },
    { name: 'halves', op: 'Split', input: ['axis:output:0', 'a', '^a', '^axis'], attr: { T: { placeholder: 'T' } } },
    { name: 'sum', op: 'AddV2', input: ['halves:output:1', 'a'], attr: { T: { placeholder: 'T' } } },
  ],
  ret: { o: 'sum:z:0' },
};

describe('the body of a function', () => {
  it.each<[string, string, object]>([
    [
      'the function that the call names',
      'PartitionedCall',
      { f: { func: { name: 'f', attr: { T: attr.type(FLOAT) } } } },
    ],
    ['the call, whose op is the function', 'f', { T: attr.type(FLOAT) }],
  ])('has its edges parsed, and attrs filled in from %s', (_, op, attrs) => {
    const body = bodyFor(calling(op, attrs, split));
    expect(body.args).toEqual([{ name: 'a', count: 1, type: FLOAT }]);
    expect(body.results).toEqual([{ node: 'sum', port: 0 }]);
    expect(body.nodes).toMatchObject([
      { name: 'axis', op: 'Const', tensor: { shape: [] }, attr: { dtype: { type: 3 } } },
      {
        name: 'halves',
        inputs: [
          { node: 'axis', port: 0 },
          { node: 'a', port: 0 },
        ],
        controls: ['axis'],
        attr: { T: { type: FLOAT } },
      },
      {
        name: 'sum',
        inputs: [
          { node: 'halves', port: 1 },
          { node: 'a', port: 0 },
        ],
      },
    ]);
  });

  it('counts the tensors of arguments that are lists', () => {
    const fn = {
      signature: {
        name: 'f',
        input_arg: [
          { name: 'same', type: FLOAT, number_attr: 'N' },
          { name: 'mixed', type_list_attr: 'Ts' },
        ],
      },
    };
    const types = { list: { type: [FLOAT, DataType.DT_INT32, FLOAT] } };
    expect(bodyFor(calling('f', { N: attr.int(2), Ts: types }, fn)).args).toEqual([
      { name: 'same', count: 2, type: FLOAT },
      { name: 'mixed', count: 3, type: undefined },
    ]);
  });

  it('is refused where it reads what is not there', () => {
    const fn = { ...split, ret: { o: 'gone:z:0' } };
    expect(() => bodyFor(calling('f', {}, fn))).toThrow('the function f reads gone:z:0, which it does not define');
    const { library } = calling('f', {}, split);
    expect(() => library.bodyOf({ name: 'g', attr: {} })).toThrow('function g not found in the graph');
  });
});

describe('addBody', () => {
  it('connects the body with what the call passes', () => {
    const { graph, library } = calling('f', { T: attr.type(FLOAT) }, split);
    const body = library.bodyOf(library.calledBy(graph.get('call'))!);
    const { nodes, results } = addBody(graph, body, [{ node: 'x', port: 0 }], (name) => `call/${name}`);
    expect(nodes.map(({ name }) => name)).toEqual(['call/axis', 'call/halves', 'call/sum']);
    expect(results).toEqual([{ node: 'call/sum', port: 0 }]);
    expect(graph.get('call/halves').inputs[1]).toEqual({ node: 'x', port: 0 });
    expect(graph.get('call/halves').controls).toEqual(['call/axis']);
  });

  it('refuses a call that passes too few tensors', () => {
    const { graph, library } = calling('f', {}, split);
    expect(() => addBody(graph, library.bodyOf({ name: 'f', attr: {} }), [], (name) => `call/${name}`)).toThrow(
      'a call of the function f passes too few tensors',
    );
  });
});
