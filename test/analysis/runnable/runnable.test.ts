import { describe, expect, it } from 'vitest';
import { findCustomOps, findObstacles } from '../../../src/analysis/runnable/find_obstacles.js';
import { findLift } from '../../../src/analysis/runnable/lift.js';
import { findMixedLoops } from '../../../src/analysis/runnable/mixed_loops.js';
import { findChosenReplicas, findEqualReplicas } from '../../../src/analysis/runnable/replicas.js';
import { findTables } from '../../../src/analysis/runnable/tables.js';
import type { Graph } from '../../../src/graph/graph.js';
import { ancestors } from '../../../src/graph/walk.js';
import { parseWithFunctions } from '../../support/parse_functions.js';

const live = (graph: Graph) => ancestors(graph, ['y'], false);
const tablesIn = (text: string) => {
  const graph = parseWithFunctions(text);
  return findTables(graph, live(graph));
};

describe('a table', () => {
  const read = 'x = Placeholder[string, shape=[?]]\ny = LookupTableFindV2(t, x, 0)[Tin=string, Tout=int64]';
  const table = (attrs = '', op = 'HashTableV2') => `t = ${op}[key_dtype=string, value_dtype=int64${attrs}]`;
  const initializer = (name: string, handle = 't') =>
    `${name} = InitializeTableV2(${handle}, ["a"], [1])[Tkey=string, Tval=int64]`;

  it('that constants fill is known with its initialiser', () => {
    expect(tablesIn([table(), initializer('init'), read].join('\n'))).toEqual({
      tables: [{ node: 't', initializer: 'init', isRepeatable: false, ready: undefined }],
      fromFiles: [],
      obstacles: [],
    });
  });

  it('may be filled under another op with its shared name', () => {
    const other = 't2 = HashTableV2[key_dtype=string, value_dtype=int64, shared_name="s"]';
    const shared = [table(', shared_name="s"'), other, initializer('init', 't2'), read].join('\n');
    expect(tablesIn(shared).tables).toMatchObject([{ node: 't', initializer: 'init' }]);
    const apart = [table(', shared_name="r"'), other, initializer('init', 't2'), read].join('\n');
    expect(tablesIn(apart)).toMatchObject({ tables: [], obstacles: [{ node: 't', contents: 'inserted' }] });
    const unnamed = [table(), other.replace(', shared_name="s"', ''), initializer('init', 't2'), read].join('\n');
    expect(tablesIn(unnamed)).toMatchObject({ tables: [], obstacles: [{ node: 't', contents: 'inserted' }] });
  });

  it('and others with its shared name are one, wherever they are in the file', () => {
    const other = 't2 = HashTableV2[key_dtype=string, value_dtype=int64, shared_name="s"]';
    const own = [table(', shared_name="s"'), initializer('init'), read].join('\n');
    const first = [table(', shared_name="s"'), initializer('init'), other, read.replace('(t,', '(t2,')].join('\n');
    expect(tablesIn(own).tables).toMatchObject([{ node: 't', initializer: 'init' }]);
    expect(tablesIn(first).tables).toMatchObject([{ node: 't2', initializer: 'init' }]);
  });

  it('is filled through what passes its handle on', () => {
    expect(tablesIn([table(), initializer('init', 'Identity(t)'), read].join('\n')).tables).toMatchObject([
      { node: 't', initializer: 'init' },
    ]);
  });

  describe('that is filled only while it is empty', () => {
    const guarded = (change = '', by = '', size = 't') =>
      [
        table(),
        'other = HashTableV2[key_dtype=string, value_dtype=int64]',
        `empty = Equal(LookupTableSizeV2(${size}), Const[int64, value=0])[T=int64]`,
        'keys = Switch(["a"], empty)',
        'init = InitializeTableV2(t, keys:1, [1])[Tkey=string, Tval=int64]',
        'ready = Merge(keys, Identity(keys:1, ^init))[N=2]',
        'y = LookupTableFindV2(t, Placeholder[string, shape=[?]], 0, ^ready)[Tin=string, Tout=int64]',
      ]
        .join('\n')
        .replace(change, by);

    it('is known, with what runs when it is full', () => {
      expect(tablesIn(guarded())).toEqual({
        tables: [{ node: 't', initializer: 'init', isRepeatable: false, ready: 'ready' }],
        fromFiles: [],
        obstacles: [],
      });
    });

    it.each([
      ['computed keys', guarded('["a"]', 'Placeholder[string, shape=[1]]')],
      ['the size of another table', guarded('', '', 'other')],
      ['another condition', guarded('Equal', 'NotEqual')],
      ['a number that is no size', guarded('LookupTableSizeV2(t)', 'Placeholder[int64, shape=[]]')],
      ['nothing that runs when it is full', guarded('Merge(keys, Identity(keys:1, ^init))[N=2]', 'NoOp(^init)')],
      ['no switch', guarded('Switch(["a"], empty)', 'MyOp(["a"], empty)')],
    ])('is an obstacle with %s', (_, text) => {
      expect(tablesIn(text)).toMatchObject({ tables: [], obstacles: [{ node: 't', contents: 'computed' }] });
    });
  });

  it.each([
    ['a custom op', 'MyOp("words.txt")'],
    ['an op with a state', 'ReaderReadV2(r, q)'],
    ['a variable', 'VariableV2[string, shape=[1]]'],
  ])('whose keys come from %s is an obstacle', (_, keys) => {
    const sources = 'r = TextLineReaderV2[shared_name=r]\nq = FIFOQueueV2[component_types=[string]]';
    const init = `init = InitializeTableV2(t, ${keys}, [1])[Tkey=string, Tval=int64]`;
    expect(tablesIn([table(), sources, init, read].join('\n'))).toMatchObject({
      tables: [],
      obstacles: [{ node: 't', contents: 'computed' }],
    });
  });

  it('that training changes as well is an obstacle', () => {
    const insert = 'more = LookupTableInsertV2(t, ["b"], [2])[Tin=string, Tout=int64]';
    expect(tablesIn([table('', 'MutableHashTableV2'), initializer('init'), insert, read].join('\n'))).toMatchObject({
      tables: [],
      obstacles: [{ node: 't', contents: 'inserted' }],
    });
  });

  it('that two ops fill, or one with what is computed, is an obstacle', () => {
    expect(tablesIn([table(), initializer('a'), initializer('b'), read].join('\n'))).toMatchObject({
      tables: [],
      obstacles: [{ code: 'table', node: 't', op: 'HashTableV2', contents: 'computed' }],
    });
    const random = 'init = InitializeTableV2(t, ["a"], r)[Tkey=string, Tval=int64]';
    const source = 'r = Placeholder[int64, shape=[1]]';
    expect(tablesIn([table(), source, random, read].join('\n')).obstacles).toMatchObject([{ contents: 'computed' }]);
  });

  it('of a file is known, and an obstacle', () => {
    const file = 'init = InitializeTableFromTextFileV2(t, "words.txt")[key_index=-2, value_index=-1]';
    expect(tablesIn([table(), file, read].join('\n'))).toMatchObject({
      tables: [],
      fromFiles: [{ node: 't', initializer: 'init' }],
      obstacles: [{ code: 'table', node: 't', contents: 'file' }],
    });
  });

  it('that nothing reads is not looked at', () => {
    const unread = [table(), initializer('init'), 'y = Placeholder[shape=[2]]'].join('\n');
    expect(tablesIn(unread)).toEqual({ tables: [], fromFiles: [], obstacles: [] });
  });

  it('may be initialised again if it is mutable, or the graph is of TensorFlow 1.15 or later', () => {
    const graph = parseWithFunctions([table(), initializer('init'), read].join('\n'));
    for (const [producer, isRepeatable] of [
      [133, false],
      [134, true],
      [135, true],
    ] as const) {
      graph.setHeader({ ...graph.header, versions: { producer } });
      expect(findTables(graph, live(graph)).tables).toMatchObject([{ isRepeatable }]);
    }
    const mutable = [table('', 'MutableHashTableV2'), initializer('init'), read].join('\n');
    expect(tablesIn(mutable).tables).toMatchObject([{ isRepeatable: true }]);
  });
});

describe('replicas', () => {
  const equal = (text: string) => [...findEqualReplicas(parseWithFunctions(text))];
  const chosen = (text: string, ...outputs: [string, number][]) =>
    [
      ...findChosenReplicas(
        parseWithFunctions(text),
        outputs.map(([node, port]) => ({ node, port })),
      ),
    ].sort();
  const inputs = 'x0 = Placeholder[shape=[2]]\nx1 = Placeholder[shape=[2]]\n';

  it('with one tensor, or one output, forward it', () => {
    expect(equal('x = Placeholder[shape=[2]]\na = TPUReplicatedInput(x, x)[N=2]\ny = Relu(a)')).toEqual([['a', 0]]);
    expect(equal('x = Placeholder[shape=[2]]\ny = TPUReplicatedOutput(x)[num_replicas=1, T=float32]')).toEqual([
      ['y', 0],
    ]);
  });

  it('with different tensors are left, and outputs with them', () => {
    const several = `${inputs}a = TPUReplicatedInput(x0, x1)[N=2]\ny = TPUReplicatedOutput(a)[num_replicas=2, T=float32]`;
    expect(equal(several)).toEqual([]);
    // One port of one tensor is not another.
    expect(equal('s = Split(0, [1.0, 2.0])[num_split=2]\na = TPUReplicatedInput(s, s:1)[N=2]\ny = Relu(a)')).toEqual(
      [],
    );
    const same = 'x = Placeholder[shape=[2]]\ny = TPUReplicatedOutput(x)[num_replicas=2, T=float32]';
    expect(equal(same)).toEqual([['y', 0]]);
  });

  it('of one variable on several TPUs are equal, of one variable and a tensor they are not', () => {
    const variables = 'v0 = VarHandleOp[shape=[2]]\nv1 = VarHandleOp[shape=[2]]\nx = Placeholder[resource, shape=[]]\n';
    const y = 'y = ReadVariableOp(a)[dtype=float32]';
    expect(equal(`${variables}a = TPUReplicatedInput(v0, v1)[N=2, T=resource]\n${y}`)).toEqual([['a', 0]]);
    expect(equal(`${variables}a = TPUReplicatedInput(v0, x)[N=2, T=resource]\n${y}`)).toEqual([]);
  });

  it('of a cluster forward its tensors', () => {
    const text = 'x = Placeholder[shape=[2]]\na = XlaClusterOutput(x)\ny = Identity(a)';
    expect(equal(text)).toEqual([['a', 0]]);
  });

  it('without inputs are left', () => {
    expect(equal('a = TPUReplicatedInput[N=0]\ny = Placeholder[shape=[2]]')).toEqual([]);
    expect(
      equal(`${inputs}a = TPUReplicatedInput(x0, x1)[N=2]\nb = TPUReplicatedOutput(x0)[num_replicas=1, T=float32]`),
    ).toEqual([['b', 0]]);
  });

  it('are chosen by the one output that is read', () => {
    const text = `${inputs}a = TPUReplicatedInput(x0, x1)[N=2]\nc = TPUReplicatedOutput(a)[num_replicas=2, T=float32]\n`;
    expect(chosen(`${text}y = Relu(c:1)`, ['y', 0])).toEqual([
      ['a', 1],
      ['c', 0],
    ]);
    expect(chosen(`${text}y = Relu(c)`, ['y', 0])).toEqual([
      ['a', 0],
      ['c', 0],
    ]);
    expect(chosen(text, ['c', 1])).toEqual([
      ['a', 1],
      ['c', 0],
    ]);
    expect(chosen(`${text}y = Relu(c:1)`, ['y', 0], ['c', 0])).toEqual([]);
    // What no output needs does not count.
    expect(chosen(`${text}y = Relu(c:1)\nz = Relu(c)`, ['y', 0])).toContainEqual(['a', 1]);
    // A replica that a node does not have: its last one.
    const third = `${inputs}a = TPUReplicatedInput(x0, x1)[N=2]\nc = TPUReplicatedOutput(a)[num_replicas=3, T=float32]\ny = Relu(c:2)`;
    expect(chosen(third, ['y', 0])).toEqual([
      ['a', 1],
      ['c', 0],
    ]);
  });
});

describe('obstacles', () => {
  const obstacles = (text: string) => {
    const graph = parseWithFunctions(text);
    return findObstacles(graph, live(graph));
  };

  it('name what to cut at: what is read of a resource, through what passes its handle on', () => {
    const iterator = 'it = IteratorV2[output_types=[float32], output_shapes=[[2]], shared_name="", container=""]';
    const next = 'n = IteratorGetNext(Identity(it))[output_types=[float32], output_shapes=[[2]]]';
    expect(obstacles([iterator, next, 'y = Relu(n)'].join('\n'))).toMatchObject([
      { code: 'resource', node: 'it', op: 'IteratorV2', tensors: ['n'] },
    ]);
  });

  it('name every tensor that is read of an op, once, and nothing that only training reads', () => {
    const python = 'p = PyFunc(x)[token="f", Tin=[float32], Tout=[float32, float32, float32]]';
    const uses = 'y = Add(p, p:2)\nloss = Relu(p:1)';
    expect(obstacles(['x = Placeholder[shape=[2]]', python, uses].join('\n'))).toMatchObject([
      { code: 'python', tensors: ['p', 'p:2'] },
    ]);
  });

  it('are functions that the graph does not have, also for ops with functions of its own', () => {
    const call = (name: string) => `y = PartitionedCall(x)[f=@${name}, Tin=[float32], Tout=[float32]]`;
    const x = 'x = Placeholder[shape=[2]]';
    const missing = { code: 'missing_function', node: 'y', op: 'PartitionedCall' };
    expect(obstacles([x, call('f')].join('\n'))).toEqual([{ ...missing, function: 'f' }]);
    const f = 'def f(a):\n  b = Relu(a)\n  return b\n';
    expect(obstacles([f + x, call('f')].join('\n'))).toEqual([]);
    expect(obstacles([f + x, call('g')].join('\n'))).toEqual([{ ...missing, function: 'g' }]);
  });

  it.each([
    ['resource', 'resource'],
    ['variant', 'variant'],
  ])('are placeholders for a %s', (_, dtype) => {
    expect(obstacles(`h = Placeholder[${dtype}, shape=[]]\ny = MyOp(h)`)).toMatchObject([
      { code: 'unfeedable', node: 'h', dtype },
    ]);
    expect(obstacles('h = Placeholder[-dtype]\ny = MyOp(h)')).toEqual([]);
  });

  it('are numbers where a variable is read, but not what a frozen variable became', () => {
    const reads = (handle: string) => obstacles(`h = ${handle}\ny = ReadVariableOp(Identity(h))[dtype=float32]`);
    expect(reads('Placeholder[shape=[2]]')).toMatchObject([{ code: 'not_a_variable', from: 'h', dtype: 'float32' }]);
    for (const fine of ['VarHandleOp[shape=[2]]', 'Const[value=2.0]', 'MyOp(x)']) expect(reads(fine)).toEqual([]);
  });

  it('are replicas, with their number', () => {
    const inputs = 'x0 = Placeholder[shape=[2]]\nx1 = Placeholder[shape=[2]]\na = TPUReplicatedInput(x0, x1)[N=2]\n';
    expect(obstacles(`${inputs}y = TPUReplicatedOutput(a)[num_replicas=3, T=float32]`)).toMatchObject([
      { code: 'replicas', node: 'y', replicas: 3 },
      { code: 'replicas', node: 'a', replicas: 2 },
    ]);
  });

  it('are those of live nodes', () => {
    const python = 'p = PyFunc(x)[token="f", Tin=[float32], Tout=[float32]]';
    const x = 'x = Placeholder[shape=[2]]';
    expect(obstacles([x, python, 'y = Relu(p)'].join('\n'))).toEqual([
      { code: 'python', node: 'p', op: 'PyFunc', tensors: ['p'] },
    ]);
    expect(obstacles([x, python, 'y = Relu(x)'].join('\n'))).toEqual([]);
  });

  it('a custom op is named with the first node that has it', () => {
    const graph = parseWithFunctions('x = Placeholder[shape=[2]]\na = MyOp(x)\nb = MyOp(x)\ny = Other(a, b)');
    expect([...findCustomOps(graph)]).toEqual([
      ['MyOp', 'a'],
      ['Other', 'y'],
    ]);
  });

  it('calls of functions of the graph are no custom ops', () => {
    const f = 'def MyOp(a):\n  b = Relu(a)\n  return b\n';
    const graph = parseWithFunctions(`${f}x = Placeholder[shape=[2]]\na = MyOp(x)\ny = Other(a)`);
    expect([...findCustomOps(graph)]).toEqual([['Other', 'y']]);
  });
});

describe('loops', () => {
  const y = [{ node: 'y', port: 0 }];
  const loop = 'x = Placeholder[shape=[2]]\ne = Enter(x)[frame_name=loop, is_constant=true]\n';

  it('must not be mixed by control inputs either', () => {
    const mixed = parseWithFunctions(`${loop}b = Const[value=2.0]\nm = Relu(e, ^b)\ny = Exit(m)`);
    expect(findMixedLoops(mixed, y)).toEqual([{ code: 'mixed_loops', node: 'm', op: 'Relu', inputs: ['e', 'b'] }]);
    const fine = parseWithFunctions(`${loop}b = Const(^e)[value=2.0]\nm = Relu(e, ^b)\ny = Exit(m)`);
    expect(findMixedLoops(fine, y)).toEqual([]);
  });

  it('are not mixed where loops in loops have the same names', () => {
    const nested = (name: string, more = name) =>
      `${loop}a = Enter(e)[frame_name=${name}, is_constant=true]\nb = Enter(e)[frame_name=${more}, is_constant=true]\nm = Add(a, b)\ny = Exit(Exit(m))`;
    expect(findMixedLoops(parseWithFunctions(nested('inner')), y)).toEqual([]);
    expect(findMixedLoops(parseWithFunctions(nested('inner', 'other')), y)).toMatchObject([
      { code: 'mixed_loops', node: 'm', inputs: ['a', 'b'] },
    ]);
    const deep = parseWithFunctions(`${loop}a = Enter(e)[frame_name=loop]\nm = Add(e, a)\ny = Exit(Exit(m))`);
    expect(findMixedLoops(deep, y)).toMatchObject([{ code: 'mixed_loops', node: 'm', inputs: ['e', 'a'] }]);
  });

  it('are left by what does not depend on their variables', () => {
    const body = parseWithFunctions(`${loop}y = Relu(e)`);
    const { inputs, controls, exits } = findLift(body, y, new Set());
    expect([[...inputs], [...controls], [...exits]]).toEqual([[['y', [{ node: 'x', port: 0 }]]], [], []]);
    const after = parseWithFunctions(`${loop}m = Relu(e)\ny = Exit(m)`);
    expect([...findLift(after, y, new Set()).inputs]).toEqual([]);
    const none = findLift(parseWithFunctions('x = Placeholder[shape=[2]]\ny = Relu(x)'), y, new Set(['x']));
    expect([none.inputs.size, none.controls.size, none.exits.size]).toEqual([0, 0, 0]);
  });

  it('are left without the control inputs that start an iteration', () => {
    const graph = parseWithFunctions(`${loop}c = Const(^e)[value=2.0]\ny = Mul(e, c)`);
    const { inputs, controls } = findLift(graph, y, new Set());
    expect([...inputs.keys()]).toEqual(['y']);
    expect([...controls]).toEqual([['c', []]]);
  });
});
