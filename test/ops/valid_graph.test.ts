import { describe, expect, it } from 'vitest';
import { freeze } from '../../src/freezing/freeze.js';
import { tensorflow } from '../../src/proto/tensorflow.js';
import { functionDef, integers, loadRaw, type NodeDef, T, X } from '../support/raw_graph.js';

const { DT_FLOAT } = tensorflow.DataType;
const relu = (name: string, ...input: string[]): NodeDef => ({ name, op: 'Relu', input, attr: T });
const y = relu('y', 'x');

/** What each graph is refused with, where it is read or where its node is. */
const REFUSED: readonly (readonly [what: string, nodes: NodeDef[], message: string])[] = [
  ['two nodes of one name', [X, y, y], 'two nodes are named y'],
  ['a node without a name', [X, relu('', 'x')], 'a node (Relu) has no name'],
  ['a node without an op', [X, { name: 'y', input: ['x'] }], 'y has no op'],
  ['a name that is written like an edge', [X, relu('y:1', 'x')], 'y:1 is not a valid name of a node'],
  [
    'fewer inputs than the op needs',
    [X, { name: 'y', op: 'Add', input: ['x'], attr: T }],
    'y (Add) has 1 input, but needs 2',
  ],
  ['more inputs than the op has', [X, relu('y', 'x', 'x')], 'y (Relu) has 2 inputs, but needs 1'],
  [
    'fewer inputs than an attr says',
    [X, { name: 'y', op: 'AddN', input: ['x'], attr: { ...T, N: { i: 3 } } }],
    'y (AddN) has 1 input, but needs 3',
  ],
  [
    'fewer inputs than an attr lists types of',
    [X, { name: 'y', op: 'IdentityN', input: ['x'], attr: { T: { list: { type: [DT_FLOAT, DT_FLOAT] } } } }],
    'y (IdentityN) has 1 input, but needs 2',
  ],
  [
    'a negative number of outputs',
    [
      X,
      integers('axis', [1], []),
      { name: 'y', op: 'Split', input: ['axis', 'x'], attr: { ...T, num_split: { i: -1 } } },
    ],
    'y (Split) has num_split = -1',
  ],
  ['a port that the op does not have', [X, relu('y', 'x:1')], 'y reads x:1, which is not in the graph'],
  [
    'a port beyond the number that an attr says',
    [
      X,
      integers('axis', [1], []),
      { name: 's', op: 'Split', input: ['axis', 'x'], attr: { ...T, num_split: { i: 2 } } },
      relu('y', 's:2'),
    ],
    'y reads s:2, which is not in the graph',
  ],
  [
    'a port that no custom op has',
    [X, { name: 'c', op: 'Custom', input: ['x'] }, relu('y', 'c:99999999')],
    'y reads c:99999999, which is not in the graph',
  ],
  ['a cycle', [X, relu('y', 'z'), relu('z', 'y')], 'the graph has a cycle'],
  ['a cycle of control inputs', [X, relu('y', 'x', '^z'), relu('z', 'y')], 'the graph has a cycle'],
  ['data after a control input', [X, relu('z', 'x'), relu('y', '^z', 'x')], 'y reads x after a control input'],
];

/** The same, where the attr is used. */
const REFUSED_IN_USE: readonly (readonly [what: string, nodes: NodeDef[], message: string])[] = [
  [
    'an unknown dtype',
    [{ ...X, attr: { ...X.attr, dtype: { type: 99900 as 1 } } }, y],
    'x (Placeholder) has the unknown dtype 99900 as dtype',
  ],
  [
    'a size below -1',
    [{ ...X, attr: { ...X.attr, shape: { shape: { dim: [{ size: -2 }] } } } }, y],
    'x (Placeholder) has the size -2 as shape',
  ],
  [
    'a constant of another dtype than its node',
    [
      X,
      { ...integers('c', [1], []), attr: { ...integers('c', [1], []).attr, dtype: { type: DT_FLOAT } } },
      { name: 'y', op: 'Add', input: ['x', 'c'], attr: T },
    ],
    'the constant c has int32 values, but the dtype float32',
  ],
  [
    'a constant with a negative size',
    [X, integers('c', [1], [-3]), { name: 'y', op: 'Reshape', input: ['x', 'c'], attr: T }],
    'a constant has the shape [-3]',
  ],
];

const refusal = (message: string) => expect.objectContaining({ code: 'unreadable', message });

describe('the reader refuses', () => {
  it.each(REFUSED)('%s', async (_, nodes, message) => {
    await expect(loadRaw(nodes)).rejects.toEqual(refusal(message));
  });

  it.each(REFUSED_IN_USE)('%s, once it is used', async (_, nodes, message) => {
    const model = await loadRaw(nodes);
    expect(() => freeze(model, { outputs: ['y'] })).toThrow(refusal(message));
  });
});

describe('functions are refused with', () => {
  const call: NodeDef = { name: 'y', op: 'f', input: ['x'] };
  const frozen = async (...functions: ReturnType<typeof functionDef>[]) =>
    freeze(await loadRaw([X, call], functions), { outputs: ['y'] });

  it.each([
    ['two of one name', [functionDef('f', [], 'a'), functionDef('f', [], 'a')], 'two functions are named f'],
    [
      'two nodes of one name',
      [functionDef('f', [relu('n', 'a'), relu('n', 'a')], 'n:activations:0')],
      'two nodes or arguments of the function f are named n',
    ],
    [
      'a node named like an argument',
      [functionDef('f', [relu('a', 'a')], 'a')],
      'two nodes or arguments of the function f are named a',
    ],
    [
      'a result that no node has',
      [functionDef('f', [relu('n', 'a')], 'gone:activations:0')],
      'the function f reads gone:activations:0, which it does not define',
    ],
    [
      'a control input that no node has',
      [functionDef('f', [relu('n', 'a', '^gone')], 'n:activations:0')],
      'the function f reads ^gone, which it does not define',
    ],
    [
      'an output that the op does not have',
      [functionDef('f', [{ name: 'n', op: 'TopKV2', input: ['a', 'a'], attr: T }], 'n:gone:0')],
      'the function f reads n:gone:0, which it does not define',
    ],
    [
      'an index that is no number',
      [functionDef('f', [relu('n', 'a')], 'n:activations:x')],
      'the function f reads n:activations:x, which it does not define',
    ],
    [
      'a node with too few inputs',
      [functionDef('f', [{ name: 'n', op: 'Add', input: ['a'], attr: T }], 'n:z:0')],
      'y/n (Add) has 1 input, but needs 2',
    ],
  ])('%s', async (_, functions, message) => {
    await expect(frozen(...functions)).rejects.toEqual(refusal(message));
  });
});

it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', '__defineGetter__'])(
  'an op, a node, a function and an argument may be called %s',
  async (name) => {
    const body = { ...functionDef(name, [relu('n', name)], 'n:activations:0') };
    body.signature = {
      ...body.signature,
      input_arg: [{ name, type: DT_FLOAT }],
      output_arg: [{ name: 'r', type: DT_FLOAT }],
    };
    const nodes: NodeDef[] = [X, { name: 'called', op: name, input: ['x'] }, relu(name, 'called'), relu('y', name)];
    const { graph } = freeze(await loadRaw(nodes, [body]), { outputs: ['y'] });
    expect([...graph.nodes()].map(({ op }) => op)).toContain('Relu');
    const custom = await loadRaw([X, { name: 'custom', op: name, input: ['x'] }, relu('y', 'custom')]);
    expect(freeze(custom, { outputs: ['y'] }).graph.get('custom').op).toBe(name);
  },
);
