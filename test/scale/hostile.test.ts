// Graphs that are built to take long: deep ones, ones whose paths double at each node, ones that repeat one thing.
import { describe, expect, it } from 'vitest';
import { BnfixError } from '../../src/errors.js';
import { fold } from '../../src/freezing/fold.js';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import type { Graph } from '../../src/graph/graph.js';
import type { NodeSpec } from '../../src/graph/node.js';
import { numberTensor } from '../../src/graph/tensor.js';
import { graphOf, node, placeholder } from '../support/build.js';
import { modelOf } from '../support/model.js';
import { cpuSeconds } from './measure.js';

const T = { T: attr.type(DataType.DT_FLOAT) };
const INTS = { T: attr.type(DataType.DT_INT32), Tshape: attr.type(DataType.DT_INT32) };
const x = placeholder('x', DataType.DT_FLOAT, [-1, 2]);

/** Nodes in a row, made by a function of the number and of the name before; y reads the last one. */
function inRow(count: number, make: (i: number, before: string) => NodeSpec[], first: NodeSpec[] = []): Graph {
  const nodes: NodeSpec[] = [];
  for (let i = 0; i < count; i++) nodes.push(...make(i, nodes.at(-1)?.name ?? 'x'));
  return graphOf([x, ...first, ...nodes, node('y', 'Identity', [nodes.at(-1)!.name], T)]);
}

const flag = (name: string) => placeholder(name, DataType.DT_BOOL, []);
const shape: NodeSpec = {
  ...node('shape', 'Const', [], { dtype: attr.type(DataType.DT_INT32) }),
  tensor: {
    dtype: DataType.DT_INT32,
    shape: [2],
    byteLength: 8,
    chunks: () => [new Uint8Array(Int32Array.of(-1, 2).buffer)],
    strings: () => [],
  },
};
const branch = (i: number, before: string, condition: string) => [
  node(`s${i}`, 'Switch', [before, condition], T),
  node(`off${i}`, 'Relu', [`s${i}`], T),
  node(`on${i}`, 'Tanh', [`s${i}:1`], T),
  node(`m${i}`, 'Merge', [`off${i}`, `on${i}`], { ...T, N: attr.int(2) }),
];

const INT = DataType.DT_INT32;
/** Mean and variance of x over the batch. */
const moments = [
  { ...node('axis', 'Const', [], { dtype: attr.type(INT) }), tensor: numberTensor(INT, [1], [0]) },
  node('mean', 'Mean', ['x', 'axis'], T),
  node('squared', 'SquaredDifference', ['x', 'mean'], T),
  node('variance', 'Mean', ['squared', 'axis'], T),
];
/** Nodes that x, its mean and its variance pass first: as many batch norms then use the last one. */
function batchNorms(n: number, chain: (i: number, before: string) => NodeSpec, from: string): Graph {
  const through: NodeSpec[] = [];
  for (let i = 0; i < n / 2; i++) through.push(chain(i, through.at(-1)?.name ?? from));
  const end = (name: string) => (name === from ? through.at(-1)!.name : name);
  const sites = Array.from({ length: Math.floor(n / 8) }, (_, i) => [
    node(`root${i}`, 'Rsqrt', [end('variance')], T),
    node(`scaled${i}`, 'Mul', [end('x'), `root${i}`], T),
    node(`shift${i}`, 'Mul', [end('mean'), `root${i}`], T),
    node(`bn${i}`, 'Sub', [`scaled${i}`, `shift${i}`], T),
  ]);
  const all = node(
    'y',
    'AddN',
    sites.map((_, i) => `bn${i}`),
    { ...T, N: attr.int(sites.length) },
  );
  return graphOf([x, ...moments, ...through, ...sites.flat(), all]);
}

/** Flags, each in the branch of the one before. @param from - the tensor that the first one switches */
function nestedFlags(n: number, from: string, first: NodeSpec[] = []): Graph {
  const count = Math.floor(n / 3);
  const flags = Array.from({ length: count }, (_, i) => flag(`p${i}`));
  const down = flags.map((_, i) => node(`s${i}`, 'Switch', [i === 0 ? from : `s${i - 1}:1`, `p${i}`], T));
  const up = flags.map((_, i) =>
    node(`m${i}`, 'Merge', [`s${i}`, i + 1 < count ? `m${i + 1}` : `s${i}:1`], { ...T, N: attr.int(2) }),
  );
  return graphOf([x, ...first, ...flags, ...down, ...up.reverse(), node('y', 'Identity', ['m0'], T)]);
}

/** Graphs of about so many nodes. */
const GRAPHS: Readonly<Record<string, (nodes: number) => Graph>> = {
  'a chain of Identity': (n) => inRow(n, (i, before) => [node(`n${i}`, 'Identity', [before], T)]),
  'a chain of Add that doubles its input': (n) => inRow(n, (i, before) => [node(`n${i}`, 'Add', [before, before], T)]),
  'a chain of IdentityN': (n) =>
    inRow(n, (i, before) => [node(`n${i}`, 'IdentityN', [before, before], { T: { list: { type: [1, 1] } } })]),
  'a chain of Reshape': (n) =>
    inRow(n, (i, before) => [node(`n${i}`, 'Reshape', [before, 'shape'], { ...INTS, ...T })], [shape]),
  'a chain of Reshape by the shape of its input': (n) =>
    inRow(n / 2, (i, before) => [
      node(`h${i}`, 'Shape', [before], T),
      node(`n${i}`, 'Reshape', [before, `h${i}`], { ...INTS, ...T }),
    ]),
  'a Reshape of a shape by itself, again and again': (n) =>
    inRow(
      n,
      (i) => [node(`n${i}`, 'Reshape', [i === 0 ? 'shape' : `n${i - 1}`, i === 0 ? 'shape' : `n${i - 1}`], INTS)],
      [shape],
    ),
  'a Gather from a tensor by itself, whose rank doubles': (n) =>
    inRow(n, (i) => [node(`n${i}`, 'Gather', [i === 0 ? 'shape' : `n${i - 1}`, i === 0 ? 'shape' : `n${i - 1}`], {})], [
      shape,
    ]),
  'conditions in a row, of one flag': (n) => inRow(n / 4, (i, before) => branch(i, before, 'p'), [flag('p')]),
  'conditions in a row, each with its flag': (n) =>
    inRow(n / 5, (i, before) => [flag(`p${i}`), ...branch(i, before, `p${i}`)]),
  'flags in the branches of other flags': (n) => nestedFlags(n, 'x'),
  // Only then may a flag be one for training, so that each is tried.
  'flags in the branches of other flags, behind a random op': (n) =>
    nestedFlags(n / 2, 'noisy', [
      node('size', 'Shape', ['x'], T),
      node('noise', 'RandomUniform', ['size'], { ...T, dtype: T.T }),
      node('noisy', 'Add', ['x', 'noise'], T),
    ]),
  'batch norms of a variance far from its root': (n) =>
    batchNorms(n, (i, before) => node(`c${i}`, 'Identity', [before], T), 'variance'),
  'batch norms of a mean far from its use': (n) =>
    batchNorms(n, (i, before) => node(`c${i}`, 'Identity', [before], T), 'mean'),
  'batch norms of one mean that many read': (n) => batchNorms(n, (i) => node(`c${i}`, 'Identity', ['mean'], T), 'mean'),
  'batch norms that are used far from their activation': (n) =>
    batchNorms(n, (i, before) => node(`c${i}`, 'Mul', [before, before], T), 'x'),
  'a mean that is added to itself, again and again': (n) =>
    batchNorms(n, (i, before) => node(`c${i}`, 'Add', [before, before], T), 'mean'),
  'roots of roots of a variance': (n) => batchNorms(n, (i, before) => node(`c${i}`, 'Sqrt', [before], T), 'variance'),
  'a chain of control inputs': (n) => {
    const nodes = Array.from({ length: n }, (_, i) => node(`n${i}`, 'NoOp', i === 0 ? [] : [`^n${i - 1}`]));
    return graphOf([x, ...nodes, node('y', 'Identity', ['x', `^n${n - 1}`], T)]);
  },
  'a sum of as many tensors': (n) =>
    graphOf([
      x,
      node(
        'y',
        'AddN',
        Array.from({ length: n }, () => 'x'),
        { ...T, N: attr.int(n) },
      ),
    ]),
  'as many readers of one tensor': (n) =>
    graphOf([x, ...Array.from({ length: n }, (_, i) => node(`n${i}`, 'Relu', ['x'], T)), node('y', 'Relu', ['x'], T)]),
  'custom ops that are read at far ports': (n) =>
    inRow(n / 2, (i, before) => [node(`c${i}`, 'Custom', [before]), node(`n${i}`, 'Relu', [`c${i}:1000000`], T)]),
  'updates in a row, each of what the one before averages': (n) =>
    inRow(n / 2, (i, before) => [
      node(`v${i}`, 'VariableV2', [], { dtype: T.T, shape: attr.shape([2]) }),
      node(`u${i}`, 'Assign', [`v${i}`, i === 0 ? before : `v${i - 1}`], T),
    ]),
};

/** What the budget of the fuzzer allows: 10 s, and 1 s for each 100 KB of about 35 bytes per node. */
const NODES = 100_000;
const LIMIT = 10 + (35 * NODES) / 100_000;

describe('100,000 nodes', () => {
  it.each(Object.entries(GRAPHS))('%s', { timeout: 300_000 }, (_, make) => {
    const model = modelOf(make(NODES));
    let error: unknown;
    const seconds = cpuSeconds(() => {
      try {
        fold(model, { outputs: ['y'] });
      } catch (thrown) {
        error = thrown;
      }
    });
    if (process.env.BNFIX_SCALE) console.log(`${seconds.toFixed(1)} s ${error ?? ''}`);
    if (error !== undefined) expect(error).toBeInstanceOf(BnfixError);
    expect((error as BnfixError | undefined)?.code).not.toBe('internal');
    expect(seconds).toBeLessThan(LIMIT);
  });
});
