import { afterAll, expect, test, vi } from 'vitest';
import { type AttrMap, attr } from '../../../src/graph/attrs.js';
import { DataType } from '../../../src/graph/dtype.js';
import type { NodeSpec } from '../../../src/graph/node.js';
import { runGraph } from '../../../src/run/run.js';
import { constant, graphOf, ints, node, placeholder, T_FLOAT } from '../../support/build.js';
import { difference } from '../../support/compare.js';
import { counted, counting } from '../../support/run.js';
import { filesOfGraph, jsonIn, runFiles } from './support.js';

const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
afterAll(() => warn.mockRestore());

const NCHW = { ...T_FLOAT, data_format: attr.string('NCHW') };
const NCDHW = { ...T_FLOAT, data_format: attr.string('NCDHW') };
const SAME = { padding: attr.string('SAME') };
const IMAGE = [2, 4, 6, 6];
const VOLUME = [2, 4, 2, 3, 3];
const filter = (shape: readonly number[]) => constant('filter', counting(shape), shape);
const halved = { ...NCHW, ...SAME, strides: ints(1, 1, 2, 2) };

/** FusedBatchNormV3 with statistics, or without. */
function batchNorm(attrs: AttrMap, isTraining: boolean): NodeSpec[] {
  const statistics = isTraining
    ? [[], []]
    : [
        [1, 2, 3, 4],
        [4, 0.5, 1, 2],
      ];
  return [
    constant('scale', [1, 2, 3, 4]),
    constant('offset', [0.5, -1, 0, 2]),
    constant('mean', statistics[0]!),
    constant('variance', statistics[1]!),
    node('y', 'FusedBatchNormV3', ['x', 'scale', 'offset', 'mean', 'variance'], {
      ...attrs,
      U: attr.type(DataType.DT_FLOAT),
      epsilon: attr.float(0.01),
      is_training: attr.bool(isTraining),
    }),
  ];
}

const GRAPHS: readonly (readonly [string, readonly number[], readonly NodeSpec[]])[] = [
  ['FusedBatchNormV3', IMAGE, batchNorm(NCHW, false)],
  ['FusedBatchNormV3 of volumes', VOLUME, batchNorm(NCDHW, false)],
  ['BiasAdd', IMAGE, [constant('bias', [1, 2, 3, 4]), node('y', 'BiasAdd', ['x', 'bias'], NCHW)]],
  ['BiasAdd of volumes', VOLUME, [constant('bias', [1, 2, 3, 4]), node('y', 'BiasAdd', ['x', 'bias'], NCHW)]],
  [
    'Conv2D',
    IMAGE,
    [filter([3, 2, 4, 5]), node('y', 'Conv2D', ['x', 'filter'], { ...halved, dilations: ints(1, 1, 1, 1) })],
  ],
  ['DepthwiseConv2dNative', IMAGE, [filter([3, 2, 4, 2]), node('y', 'DepthwiseConv2dNative', ['x', 'filter'], halved)]],
  ['MaxPool', IMAGE, [node('y', 'MaxPool', ['x'], { ...halved, ksize: ints(1, 1, 2, 3) })]],
  ['AvgPool', IMAGE, [node('y', 'AvgPool', ['x'], { ...halved, ksize: ints(1, 1, 2, 3) })]],
  [
    'Conv2DBackpropInput',
    IMAGE,
    [
      filter([3, 3, 5, 4]),
      constant('sizes', [2, 5, 12, 12], [4], DataType.DT_INT32),
      node('y', 'Conv2DBackpropInput', ['sizes', 'filter', 'x'], halved),
    ],
  ],
  ['DepthToSpace', IMAGE, [node('y', 'DepthToSpace', ['x'], { ...NCHW, block_size: attr.int(2) })]],
  ['SpaceToDepth', IMAGE, [node('y', 'SpaceToDepth', ['x'], { ...NCHW, block_size: attr.int(2) })]],
];

test.each(GRAPHS)('channels first: %s', async (_, shape, nodes) => {
  const graph = graphOf([placeholder('x', DataType.DT_FLOAT, [-1, ...shape.slice(1)]), ...nodes]);
  const files = await filesOfGraph(graph, ['y']);
  expect(JSON.stringify(jsonIn(files))).not.toContain(Buffer.from('NCHW').toString('base64'));
  const [actual, expected] = [
    await runFiles(files, { x: counted(shape) }, ['y']),
    await runGraph(graph, { x: counted(shape) }, ['y']),
  ];
  expect(difference(actual.y!, expected.y!)).toBeLessThan(1e-5);
});

test('between ops with channels last are no transposes', async () => {
  const conv = { ...NCHW, ...SAME, strides: ints(1, 1, 1, 1), dilations: ints(1, 1, 1, 1) };
  const graph = graphOf([
    placeholder('x', DataType.DT_FLOAT, [-1, 4, 6, 6]),
    constant('filter', counting([3, 3, 4, 4]), [3, 3, 4, 4]),
    node('a', 'Conv2D', ['x', 'filter'], conv),
    node('b', 'Relu', ['a'], T_FLOAT),
    node('c', 'Conv2D', ['b', 'filter'], conv),
    node('d', 'Tanh', ['c'], T_FLOAT),
    node('y', 'MaxPool', ['d'], { ...halved, ksize: ints(1, 1, 2, 2) }),
  ]);
  const files = await filesOfGraph(graph, ['y', 'b']);
  const ops = jsonIn(files).modelTopology.node.map(({ op }) => op);
  // Of the input and of each output.
  expect(ops.filter((op) => op === 'Transpose')).toHaveLength(3);
  const [actual, expected] = [
    await runFiles(files, { x: counted(IMAGE) }, ['y', 'b']),
    await runGraph(graph, { x: counted(IMAGE) }, ['y', 'b']),
  ];
  expect(difference(actual.y!, expected.y!)).toBeLessThan(1e-5);
  expect(difference(actual.b!, expected.b!)).toBeLessThan(1e-5);
});
