// Additions that make a small graph expensive: deep chains, values and functions that double, counts that lie.
import { inputOf } from './graph.mjs';

const float = { type: 1 };
const int32 = { type: 3 };
const scalar = (value) => ({ tensor: { dtype: 3, tensor_shape: {}, int_val: [value] } });

/** Puts `name` in front of some data input of the graph, so that the additions are not dead. */
function connect(graph, random, name) {
  const nodes = graph.node.filter((node) => node.input?.some((input) => !input.startsWith('^')));
  if (nodes.length === 0) return;
  const node = random.pick(nodes);
  const at = node.input.findIndex((input) => !input.startsWith('^'));
  node.input[at] = name;
}

/** Some tensor that an op reads, to start from. */
function source(graph, random) {
  return random.pick(graph.node).name;
}

function chain(graph, random, length, makeNode) {
  let before = source(graph, random);
  for (let i = 0; i < length; i++) {
    const name = `grown/n${i}`;
    graph.node.push({ name, ...makeNode(before, i) });
    before = name;
  }
  connect(graph, random, before);
}

const LENGTHS = [50, 1000, 5000];
const CHAIN_OPS = [
  'Identity',
  'Relu',
  'Neg',
  'StopGradient',
  'Square',
  'Rsqrt',
  'Softmax',
  'UnknownOp',
  'Cast',
  'Assign',
  'Enter',
  'Exit',
  'Squeeze',
  'ZerosLike',
];
const PAIR_OPS = [
  'Add',
  'AddV2',
  'Mul',
  'Sub',
  'Reshape',
  'Merge',
  'Maximum',
  'Pow',
  'Switch',
  'Select',
  'ConcatV2',
  'AddN',
  'Pack',
  'Tile',
  'Fill',
  'Equal',
  'LogicalAnd',
];

export const GROWTH_CHANGES = {
  deepChain: (graph, random) => {
    const op = random.pick(CHAIN_OPS);
    chain(graph, random, random.pick(LENGTHS), (before) => ({ op, input: [before], attr: { T: float } }));
  },
  /** Each node reads the one before twice: 2^n paths. */
  doubling: (graph, random) => {
    const op = random.pick(PAIR_OPS);
    const attr = { T: random.pick([float, int32, { type: 10 }]), N: { i: 2 }, Tshape: int32 };
    chain(graph, random, random.pick([30, 60, 300]), (before) => ({
      op,
      input: [before, inputOf(before, random).replace('^', '')],
      attr,
    }));
  },
  doublingFrom: (graph, random) => {
    const op = random.pick(PAIR_OPS);
    graph.node.push({ name: 'grown/start', op: 'Const', attr: { dtype: int32, value: scalar(random.between(1, 3)) } });
    let before = 'grown/start';
    for (let i = 0; i < 40; i++) {
      graph.node.push({
        name: `grown/d${i}`,
        op,
        input: [before, before],
        attr: { T: int32, N: { i: 2 }, Tshape: int32 },
      });
      before = `grown/d${i}`;
    }
    connect(graph, random, before);
  },
  /** An op with many outputs or inputs, because a number says so. */
  manyOutputs: (graph, random) => {
    const op = random.pick([
      'Split',
      'SplitV',
      'Unpack',
      'IdentityN',
      'ShapeN',
      'Switch',
      'TPUReplicatedOutput',
      'Unstack',
      '_SwitchN',
    ]);
    const count = { i: random.oddInteger() };
    const input = [source(graph, random), source(graph, random)];
    const attr = { num_split: count, num: count, N: count, T: float, num_replicas: count, num_outs: count };
    graph.node.push({ name: 'grown/many', op, input, attr });
    connect(graph, random, `grown/many:${random.pick([0, 1, 5])}`);
  },
  /** A constant whose shape has more elements than the file bytes, read as a value. */
  lyingConstant: (graph, random) => {
    const size = random.pick([1e6, 1e8, 1e9, 2 ** 31, 2 ** 40, 2 ** 53, -1]);
    const dims = random.pick([[size], [size, 1], [1000, size], [size, size]]).map((one) => ({ size: one }));
    const dtype = random.pick([1, 3, 7, 9, 10, 19]);
    const values = {
      float_val: [1],
      int_val: [1],
      string_val: [Buffer.from('x')],
      int64_val: [1],
      bool_val: [true],
      half_val: [1],
    };
    const key = { 1: 'float_val', 3: 'int_val', 7: 'string_val', 9: 'int64_val', 10: 'bool_val', 19: 'half_val' }[
      dtype
    ];
    const tensor = { dtype, tensor_shape: { dim: dims }, [key]: values[key] };
    graph.node.push({ name: 'grown/lying', op: 'Const', attr: { dtype: { type: dtype }, value: { tensor } } });
    const op = random.pick([
      'Reshape',
      'Fill',
      'Tile',
      'Transpose',
      'ConcatV2',
      'Range',
      'RestoreV2',
      'StridedSlice',
      'Mean',
      'Pad',
      'Add',
      'Identity',
    ]);
    const input = random.pick([
      [source(graph, random), 'grown/lying'],
      ['grown/lying', 'grown/lying'],
      ['grown/lying', 'grown/lying', 'grown/lying'],
    ]);
    graph.node.push({
      name: 'grown/reader',
      op,
      input,
      attr: { T: float, Tshape: int32, dtypes: { list: { type: [1] } }, N: { i: 2 } },
    });
    connect(graph, random, random.pick(['grown/reader', 'grown/lying']));
  },
  /** Range, Fill, Tile and the like with huge arguments. */
  hugeValue: (graph, random) => {
    const number = () => scalar(random.pick([0, 1, 2, 1e6, 1e9, 2 ** 31 - 1, -1]));
    for (const name of ['a', 'b', 'c']) {
      graph.node.push({ name: `grown/${name}`, op: 'Const', attr: { dtype: int32, value: number() } });
    }
    const op = random.pick([
      'Range',
      'Fill',
      'Tile',
      'LinSpace',
      'OneHot',
      'BroadcastTo',
      'Reshape',
      'Pad',
      'ConcatV2',
      'Pow',
      'Mul',
      'StridedSlice',
      'TopKV2',
    ]);
    const input = ['grown/a', 'grown/b', 'grown/c'].slice(0, random.between(1, 3));
    graph.node.push({ name: 'grown/huge', op, input, attr: { T: int32, Tidx: int32, index_type: int32, N: { i: 2 } } });
    connect(graph, random, 'grown/huge');
  },
  /** Functions that call the next one twice, or a chain of calls. */
  doublingFunctions: (graph, random) => {
    const [depth, twice] = random.pick([
      [18, true],
      [30, true],
      [100, false],
      [1000, false],
    ]);
    const arg = (name) => ({ name, type: 1 });
    const call = (name, target, input) => ({
      name,
      op: random.chance(0.8) ? 'PartitionedCall' : 'StatefulPartitionedCall',
      input: [input],
      attr: { f: { func: { name: target } }, Tin: { list: { type: [1] } }, Tout: { list: { type: [1] } } },
    });
    const library = graph.library ?? {};
    graph.library = library;
    library.function = [...(library.function ?? [])];
    for (let level = 0; level < depth; level++) {
      const last = level === depth - 1;
      const node_def = last
        ? [{ name: 'a', op: 'Relu', input: ['x'], attr: { T: float } }]
        : [call('a', `grown_${level + 1}`, 'x'), ...(twice ? [call('b', `grown_${level + 1}`, 'a:output:0')] : [])];
      const ret = last ? 'a:activations:0' : twice ? 'b:output:0' : 'a:output:0';
      const signature = { name: `grown_${level}`, input_arg: [arg('x')], output_arg: [arg('y')] };
      library.function.push({ signature, node_def, ret: { y: ret } });
    }
    graph.node.push({ ...call('grown/call', 'grown_0', source(graph, random)) });
    connect(graph, random, 'grown/call');
  },
  /** Flags that are placeholders of the type bool, each with branches of its own. */
  manyFlags: (graph, random) => {
    const count = random.pick([50, 300, 1000]);
    let before = source(graph, random);
    for (let i = 0; i < count; i++) {
      const name = `grown/flag${i}`;
      graph.node.push({
        name,
        op: random.pick(['Placeholder', 'PlaceholderWithDefault']),
        input: [],
        attr: { dtype: { type: 10 }, shape: { shape: {} } },
      });
      graph.node.push({ name: `${name}/s`, op: 'Switch', input: [before, name], attr: { T: float } });
      graph.node.push({ name: `${name}/d`, op: 'Relu', input: [`${name}/s:1`], attr: { T: float } });
      graph.node.push({
        name: `${name}/m`,
        op: 'Merge',
        input: [`${name}/s`, `${name}/d`],
        attr: { T: float, N: { i: 2 } },
      });
      before = `${name}/m`;
    }
    connect(graph, random, before);
  },
  longName: (graph, random) => {
    const long = random.pick(['x', 'a/', '\u00e9']).repeat(random.pick([20_000, 100_000]));
    graph.node.push({ name: long, op: 'Placeholder', attr: { dtype: float } });
    if (random.chance(0.5)) connect(graph, random, `${long}y`);
  },
  wideNode: (graph, random) => {
    const count = random.pick([1000, 20_000]);
    const name = source(graph, random);
    const op = random.pick(['AddN', 'ConcatV2', 'Pack', 'NoOp', 'IdentityN', 'Merge']);
    const input = new Array(count).fill(op === 'NoOp' ? `^${name}` : name);
    graph.node.push({
      name: 'grown/wide',
      op,
      input,
      attr: { N: { i: count }, T: op === 'IdentityN' ? { list: { type: new Array(count).fill(1) } } : float },
    });
    connect(graph, random, 'grown/wide');
  },
  manyPlaceholders: (graph, random) => {
    const count = random.pick([1000, 5000]);
    for (let i = 0; i < count; i++) graph.node.push({ name: `grown/p${i}`, op: 'Placeholder', attr: { dtype: float } });
  },
};
