import { describe, expect, it } from 'vitest';
import { answers, chain, FLOAT, graphFile, INT32, input, lying, nodeDef } from './answer.js';

const HUGE = [-1, 1e8, 2 ** 31, 2 ** 53 - 1];
/** Properties of every object in JavaScript, and other names that mean something to it. */
const NAMES_OF_OBJECTS = [
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  '__defineGetter__',
  'then',
  'length',
];

const relu = (from: string) => nodeDef('y', 'Relu', [from], { T: FLOAT });

describe('numbers that contradict the file', () => {
  it.each(HUGE)('%d outputs of one op', async (count) => {
    const i = { i: count };
    for (const [op, attr] of [
      ['Split', { num_split: i, T: FLOAT }],
      ['Unpack', { num: i, T: FLOAT }],
      ['ShapeN', { N: i, T: FLOAT }],
      ['TPUReplicatedOutput', { num_replicas: i, T: FLOAT }],
    ] as const) {
      await answers(graphFile([input(), nodeDef('s', op, ['x', 'x'], attr), relu('s')]), { outputs: ['y'] });
    }
  });

  it.each(HUGE)('a constant with a dimension of %d and one value', async (size) => {
    for (const dtype of [1, 3, 7, 9, 10]) {
      const c = lying('c', [size], dtype);
      for (const op of [
        'Reshape',
        'Fill',
        'Tile',
        'Transpose',
        'Range',
        'ConcatV2',
        'Mean',
        'Pad',
        'StridedSlice',
        'Add',
      ]) {
        const read = nodeDef('r', op, ['x', 'c', 'c', 'c'], { T: FLOAT, N: { i: 3 } });
        await answers(graphFile([input(), c, read, relu('r')]), { outputs: ['y'] });
      }
    }
    const [prefix, slices] = [lying('prefix', [], 7), lying('slices', [size], 7)];
    const restore = nodeDef('restore', 'RestoreV2', ['prefix', 'slices', 'slices'], {
      dtypes: { list: { type: [1] } },
    });
    const variable = nodeDef('v', 'VariableV2', [], { dtype: FLOAT, shape: { shape: {} } });
    const assign = nodeDef('a', 'Assign', ['v', 'restore'], { T: FLOAT });
    await answers(graphFile([prefix, slices, restore, variable, assign, relu('v')]), { outputs: ['y'] });
  });

  it.each(HUGE)('Range, Fill, Tile, OneHot of %d', async (size) => {
    const value = (name: string, int: number) =>
      nodeDef(name, 'Const', [], {
        dtype: INT32,
        value: { tensor: { dtype: 3, tensor_shape: {}, int_val: [int | 0] } },
      });
    const constants = [value('zero', 0), value('one', 1), value('n', size)];
    for (const [op, ...inputs] of [
      ['Range', 'zero', 'n', 'one'],
      ['Fill', 'n', 'one'],
      ['Tile', 'one', 'n'],
      ['OneHot', 'one', 'n', 'one', 'zero'],
      ['LinSpace', 'zero', 'one', 'n'],
      ['BroadcastTo', 'one', 'n'],
    ]) {
      const huge = nodeDef('huge', op!, inputs, { T: INT32, Tidx: INT32 });
      await answers(graphFile([input(), ...constants, huge, nodeDef('y', 'Add', ['x', 'huge'], { T: FLOAT })]), {
        outputs: ['y'],
      });
    }
  });
});

describe('small files with many paths', () => {
  it.each(['Reshape', 'Add', 'Mul', 'Merge', 'ConcatV2', 'Pack', 'Tile', 'Fill', 'Select'])(
    '%s of itself, 60 times',
    async (op) => {
      const attr = { T: FLOAT, N: { i: 2 } };
      const twice = chain(60, 'x', (before) => ({
        op,
        input: op === 'Select' ? [before, before, before] : [before, before],
        attr,
      }));
      await answers(graphFile([input(), ...twice]), { outputs: ['y'] });
      await answers(graphFile([lying('x', []), ...twice]), { outputs: ['y'] });
    },
  );

  it('functions that call the next one twice', async () => {
    const call = (name: string, to: string, from: string) =>
      nodeDef(name, 'PartitionedCall', [from], {
        f: { func: { name: to } },
        Tin: { list: { type: [1] } },
        Tout: { list: { type: [1] } },
      });
    const bodies = Array.from({ length: 40 }, (_, i) => ({
      signature: { name: `f${i}`, input_arg: [{ name: 'a', type: 1 }], output_arg: [{ name: 'b', type: 1 }] },
      node_def:
        i === 39
          ? [nodeDef('q', 'Relu', ['a'], { T: FLOAT })]
          : [call('p', `f${i + 1}`, 'a'), call('q', `f${i + 1}`, 'p:output:0')],
      ret: { b: i === 39 ? 'q:activations:0' : 'q:output:0' },
    }));
    const file = graphFile([input(), call('y', 'f0', 'x')], { library: { function: bodies } });
    expect((await answers(file, { outputs: ['y'] })).freeze).not.toBe('ok');
  });

  it('200 flags in a row', async () => {
    const flags = Array.from({ length: 200 }, (_, i) => {
      const before = i === 0 ? 'x' : `m${i - 1}`;
      return [
        input(`flag${i}`, 10),
        nodeDef(`s${i}`, 'Switch', [before, `flag${i}`], { T: FLOAT }),
        nodeDef(`d${i}`, 'Relu', [`s${i}:1`], { T: FLOAT }),
        nodeDef(`m${i}`, 'Merge', [`s${i}`, `d${i}`], { T: FLOAT, N: { i: 2 } }),
      ];
    });
    await answers(graphFile([input(), ...flags.flat(), relu('m199')]), { outputs: ['y'] });
  });

  it.each([
    ['Identity', 10_000],
    ['Assign', 10_000],
    ['Enter', 1000],
  ] as const)('%s, %d times in a row', async (op, length) => {
    const row = chain(length, 'x', (from) => ({ op, input: [from], attr: { T: FLOAT } }));
    await answers(graphFile([input(), ...row]), { outputs: ['y'] });
  });

  it('names of 100,000 characters', async () => {
    const long = 'a/'.repeat(50_000);
    const file = graphFile([input(), nodeDef(`${long}y`, 'Relu', ['x'], { T: FLOAT })]);
    for (const name of [`${long}z`, `${long}*`]) {
      await answers(file, { outputs: [name] });
      await answers(file, { keep: [name], set: { [name]: 1 }, map: { [name]: name } });
    }
  });
});

describe('graphs that TensorFlow would not import', () => {
  it.each(NAMES_OF_OBJECTS)('%s as the name of everything', async (name) => {
    for (const inputs of [[], ['x'], ['x', 'x']]) {
      await answers(graphFile([input(), nodeDef('q', name, inputs, { [name]: FLOAT }), relu('q')]), { outputs: ['y'] });
    }
    const options = { outputs: ['y'], keep: [name], set: { [name]: 1 } };
    await answers(graphFile([input(name), relu(name)]), options);
    await answers(graphFile([input(name, 10), nodeDef('y', 'Switch', [name, name], { T: { type: 10 } })]), options);
    const signature = { name, input_arg: [{ name, type: 1 }], output_arg: [{ name, type: 1 }] };
    const library = {
      function: [{ signature, node_def: [nodeDef(name, name, [name])], ret: { [name]: `${name}:${name}:0` } }],
    };
    await answers(graphFile([input(), nodeDef('y', name, ['x'])], { library }), options);
  });

  it('names that are missing, double, or in a circle', async () => {
    for (const nodes of [
      [relu('x')],
      [relu('y')],
      [relu('')],
      [relu('^y')],
      [nodeDef('', 'NoOp'), relu('')],
      [input(), relu('x'), relu('x')],
      [input(), relu('x:7')],
      [input(), relu('x:4294967296')],
      [input(), relu('x:99999999999999999999')],
      [nodeDef('y', 'Relu', ['z'], { T: FLOAT }), nodeDef('z', 'Relu', ['y'], { T: FLOAT })],
      [nodeDef('y', 'Relu', ['x', '^z'], { T: FLOAT }), input(), nodeDef('z', 'NoOp', ['^y'])],
      [nodeDef('y', 'Merge', ['y', 'y'], { T: FLOAT, N: { i: 2 } })],
    ]) {
      expect((await answers(graphFile(nodes), { outputs: ['y'] })).freeze).not.toBe('ok');
    }
  });

  it('a value for an op with several outputs', async () => {
    const split = nodeDef('s', 'Split', ['axis', 'x'], { num_split: { i: 2 }, T: FLOAT });
    const file = graphFile([input(), lying('axis', []), split, nodeDef('y', 'Add', ['s', 's:1'], { T: FLOAT })]);
    expect((await answers(file, { outputs: ['y'], set: { s: 0 } })).freeze).toBe('usage');
  });

  it.each(['AddN', 'TPUReplicatedInput', 'TPUReplicatedOutput', 'ConcatV2', 'Pack'])(
    '%s without inputs, or with one',
    async (op) => {
      for (const inputs of [[], ['x']]) {
        const file = graphFile([input(), nodeDef('n', op, inputs, { T: FLOAT }), relu('n')]);
        await answers(file, { outputs: ['y'] });
        await answers(file, { outputs: ['y'], set: { x: 0 } });
      }
    },
  );

  it('an output of what a saver restores: the name of the checkpoint is no input of the net', async () => {
    const string = (name: string, value: string) =>
      nodeDef(name, 'Const', [], {
        dtype: { type: 7 },
        value: {
          tensor: { dtype: 7, tensor_shape: { dim: [{ size: 1 }] }, string_val: [new TextEncoder().encode(value)] },
        },
      });
    const prefix = nodeDef('prefix', 'PlaceholderWithDefault', ['file'], { dtype: { type: 7 }, shape: { shape: {} } });
    const restore = nodeDef('restore', 'RestoreV2', ['prefix', 'names', 'slices'], { dtypes: { list: { type: [1] } } });
    const variable = nodeDef('v', 'VariableV2', [], { dtype: FLOAT, shape: { shape: { dim: [{ size: 2 }] } } });
    const assign = nodeDef('assign', 'Assign', ['v', 'restore'], { T: FLOAT });
    const nodes = [string('file', 'model'), prefix, string('names', 'v'), string('slices', ''), restore, variable];
    await answers(graphFile([input(), ...nodes, assign, relu('assign')]), { outputs: ['y'] });
  });

  it('loops that are torn apart', async () => {
    for (const op of ['Exit', 'NextIteration', 'LoopCond', 'Enter', 'Merge', 'Switch', 'RefEnter', 'RefSwitch']) {
      for (const inputs of [[], ['x'], ['x', 'x'], ['x', 'y']]) {
        await answers(graphFile([input(), nodeDef('y', op, inputs, { T: FLOAT, N: { i: 2 } })]), { outputs: ['y'] });
      }
    }
  });

  it('dtypes that do not exist', async () => {
    for (const dtype of [0, -1, 50, 101, 125, 1000]) {
      await answers(graphFile([input('x', dtype), relu('x')]), { outputs: ['y'] });
      await answers(
        graphFile([input(), lying('c', [1], dtype), nodeDef('y', 'Add', ['x', 'c'], { T: { type: dtype } })]),
        {
          outputs: ['y'],
        },
      );
    }
  });

  it('functions without results, with double names, of themselves', async () => {
    const arg = (name: string) => [{ name, type: 1 }];
    const call = nodeDef('y', 'PartitionedCall', ['x'], {
      f: { func: { name: 'f' } },
      Tin: { list: { type: [1] } },
      Tout: { list: { type: [1] } },
    });
    const own = nodeDef('q', 'Relu', ['a'], { T: FLOAT });
    for (const body of [
      { node_def: [own], ret: {} },
      { node_def: [own], ret: { b: 'missing:0' } },
      { node_def: [own], ret: { b: 'q:activations:7' } },
      { node_def: [own], ret: { b: 'q:constructor:0' } },
      { node_def: [own, own], ret: { b: 'q:activations:0' } },
      { node_def: [{ ...own, input: ['a:0:0:0'] }], ret: { b: 'q:activations:0' } },
      { node_def: [{ ...own, input: ['missing:y:0'] }], ret: { b: 'q:activations:0' } },
      { node_def: [{ ...call, name: 'q', input: ['a'] }], ret: { b: 'q:output:0' } },
    ]) {
      const signature = { name: 'f', input_arg: arg('a'), output_arg: arg('b') };
      const file = graphFile([input(), call], { library: { function: [{ signature, ...body }] } });
      await answers(file, { outputs: ['y'] });
    }
    for (const change of [
      { input_arg: [...arg('a'), ...arg('a')] },
      { input_arg: [] },
      { input_arg: [{ name: 'a', number_attr: 'N', type: 1 }] },
      { input_arg: [{ name: 'a', type_list_attr: 'Tin' }] },
      { output_arg: [] },
      { output_arg: [{ name: 'b', type_attr: 'T' }] },
    ]) {
      const signature = { name: 'f', input_arg: arg('a'), output_arg: arg('b'), ...change };
      const body = { signature, node_def: [own], ret: { b: 'q:activations:0' } };
      await answers(graphFile([input(), call], { library: { function: [body, body] } }), { outputs: ['y'] });
      await answers(graphFile([input(), call], { library: { function: [body] } }), { outputs: ['y'] });
    }
  });
});
