import { describe, expect, test } from 'vitest';
import { type AttrMap, attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import type { NodeSpec } from '../../src/graph/node.js';
import { runGraph } from '../../src/run/run.js';
import { constant, graphOf, ints, node } from '../support/build.js';
import { answer, counting, failure, near, rounded } from '../support/run.js';

// Expected numbers are what TensorFlow 2.12.1 answers on a CPU.

const FLOAT = { T: attr.type(DataType.DT_FLOAT) };
const int32 = (name: string, numbers: readonly number[], shape?: readonly number[]) =>
  constant(name, numbers, shape, DataType.DT_INT32);
const image = (name: string, shape: readonly number[]) => constant(name, counting(shape), shape);

describe('FusedBatchNorm', () => {
  const SHAPE = [2, 2, 1, 2];
  const graph = (op: string, attrs: AttrMap, statistics: readonly NodeSpec[]) =>
    graphOf([
      image('x', SHAPE),
      constant('scale', [1, 2]),
      constant('offset', [0.5, -1]),
      ...statistics,
      node('bn', op, ['x', 'scale', 'offset', 'mean', 'variance'], { ...FLOAT, epsilon: attr.float(0.01), ...attrs }),
    ]);
  const moving = [constant('mean', [1, 2]), constant('variance', [4, 0.5])];
  const none = [constant('mean', []), constant('variance', [])];
  const outputs = async (of: ReturnType<typeof graph>) => {
    const answers = await runGraph(of, {}, ['bn', 'bn:1', 'bn:2']);
    return Object.values(answers).map(rounded);
  };
  const TRAINED = [-0.84109, -0.42875, 0.05297, 1.76835, 0.94703, -3.76835, 1.84109, -1.57125];

  test('in training mode by the moments of the batch; outputs 1 and 2 are its mean and unbiased variance', async () => {
    const expected = [TRAINED, [0.6875, 2.25], [16.27604, 10.77604]];
    expect(await outputs(graph('FusedBatchNorm', { is_training: attr.bool(true) }, none))).toEqual(expected.map(near));
  });

  test('an absent is_training means training', async () => {
    for (const op of ['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3']) {
      expect((await outputs(graph(op, {}, none)))[0]).toEqual(near(TRAINED));
    }
  });

  test('exponential_avg_factor mixes the moments into the old ones', async () => {
    const attrs = { is_training: attr.bool(true), exponential_avg_factor: attr.float(0.25) };
    const expected = [TRAINED, [0.92188, 2.0625], [7.06901, 3.06901]];
    expect(await outputs(graph('FusedBatchNormV3', attrs, moving))).toEqual(expected.map(near));
  });

  test('in inference mode by the moving statistics', async () => {
    const y = [-1.99688, 1.97559, -0.43633, 10.72734, 1.12422, -11.32706, 2.68477, -2.57531];
    const expected = [y, [1, 2], [4, 0.5]];
    expect(await outputs(graph('FusedBatchNormV3', { is_training: attr.bool(false) }, moving))).toEqual(
      expected.map(near),
    );
  });

  test('an absent epsilon is 0.0001', async () => {
    const x = constant('x', [0.01], [1, 1, 1, 1]);
    const one = (name: string, value: number) => constant(name, [value]);
    const parts = [x, one('scale', 1), one('offset', 0), one('mean', 0), one('variance', 0)];
    const bn = node(
      'bn',
      'FusedBatchNorm',
      parts.map(({ name }) => name),
      { ...FLOAT, is_training: attr.bool(false) },
    );
    expect(await answer(graphOf([...parts, bn]), {}, 'bn')).toEqual([1]);
  });

  test('BatchNormWithGlobalNormalization: scale_after_normalization', async () => {
    const parts = [image('x', SHAPE), ...moving, constant('beta', [0.5, -1]), constant('gamma', [1, 2])];
    const inputs = ['x', 'mean', 'variance', 'beta', 'gamma'];
    const y = async (scaled: boolean) => {
      const attrs = { ...FLOAT, variance_epsilon: attr.float(0.01), scale_after_normalization: attr.bool(scaled) };
      return answer(graphOf([...parts, node('bn', 'BatchNormWithGlobalNormalization', inputs, attrs)]), {}, 'bn');
    };
    expect((await y(true)).slice(0, 2)).toEqual(near([-1.99688, 1.97559]));
    expect((await y(false)).slice(0, 2)).toEqual(near([-1.99688, 0.4878]));
  });
});

/** Numbers in NHWC (or NDHWC) order as NCHW (or NCDHW). */
function channelsFirst(shape: readonly number[], numbers: readonly number[]): number[] {
  const channels = shape.at(-1)!;
  const rest = numbers.length / shape[0]! / channels;
  return numbers.map((_, i) => {
    const [batch, left] = [Math.floor(i / (rest * channels)), i % (rest * channels)];
    return numbers[batch * rest * channels + (left % rest) * channels + Math.floor(left / rest)]!;
  });
}

const first = (shape: readonly number[]) => [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)];

describe('layouts', () => {
  const IMAGE = [1, 3, 4, 2];
  const window = (ksize: number[], strides: number[], padding: string) => ({
    ...FLOAT,
    ksize: ints(...ksize),
    strides: ints(...strides),
    padding: attr.string(padding),
  });
  const conv = (strides: number[], padding: string) => ({
    ...FLOAT,
    strides: ints(...strides),
    padding: attr.string(padding),
  });
  const filter = (shape: readonly number[]) => image('filter', shape);
  const cases: [op: string, attrs: AttrMap, others: NodeSpec[], x: number[], yShape: number[], y: number[]][] = [
    [
      'Conv2D',
      { ...conv([1, 2, 1, 1], 'EXPLICIT'), explicit_paddings: ints(0, 0, 1, 0, 0, 1, 0, 0) },
      [filter([2, 2, 2, 1])],
      IMAGE,
      [1, 2, 4, 1],
      [-9.97656, -2.74219, 38.86719, 9.66797, -0.73438, 20.85938, -1.54688, -31.89844],
    ],
    [
      'DepthwiseConv2dNative',
      conv([1, 1, 1, 1], 'SAME'),
      [filter([2, 2, 2, 1])],
      IMAGE,
      IMAGE,
      [
        14.5, 35.20313, 23.09375, 13.82813, 31.6875, 8.26563, -6.03125, -0.55469, 18.625, -19.35937, 27.21875, -6.35937,
        -23.3125, 21.76563, -33.40625, 1.50781, 2.14063, 7.35156, -13.09375, 2.57031, -18.70312, 31.47656, 10.5,
        13.58984,
      ],
    ],
    [
      'MaxPool',
      window([1, 2, 2, 1], [1, 1, 2, 1], 'VALID'),
      [],
      IMAGE,
      [1, 2, 2, 2],
      [0.625, 6.1875, 6.875, 2.9375, 2.125, 6.0625, 6.875, 4.4375],
    ],
    [
      'AvgPool',
      window([1, 3, 2, 1], [1, 1, 2, 1], 'SAME'),
      [],
      IMAGE,
      [1, 3, 2, 2],
      [-1.6875, 2.625, 4.5625, 0.625, -0.9375, 2.45833, 3.47917, 1.375, -0.1875, 1.375, 3.3125, 2.125],
    ],
    ['BiasAdd', FLOAT, [constant('bias', [1, -1])], [1, 1, 2, 2], [1, 1, 2, 2], [-3, 2.0625, 0.125, 5.1875]],
    [
      'DepthToSpace',
      { ...FLOAT, block_size: attr.int(2) },
      [],
      [1, 1, 2, 4],
      [1, 2, 4, 1],
      [-4, 3.0625, 2.25, -1.6875, -0.875, 6.1875, 5.375, 1.4375],
    ],
    [
      'SpaceToDepth',
      { ...FLOAT, block_size: attr.int(2) },
      [],
      [1, 2, 4, 2],
      [1, 1, 2, 8],
      [
        -4, 3.0625, -0.875, 6.1875, -2.5, 4.5625, 0.625, -3.3125, 2.25, -1.6875, 5.375, 1.4375, 3.75, -0.1875, 6.875,
        2.9375,
      ],
    ],
    [
      'Conv3D',
      conv([1, 1, 1, 1, 1], 'VALID'),
      [filter([1, 2, 2, 1, 1])],
      [1, 2, 2, 2, 1],
      [1, 2, 1, 1, 1],
      [64.42969, -9.97656],
    ],
  ];

  test.each(cases)('%s, channels last and first', async (op, attrs, others, xShape, yShape, y) => {
    const inputs = ['x', ...others.map(({ name }) => name)];
    const last = graphOf([image('x', xShape), ...others, node('y', op, inputs, attrs)]);
    expect(await answer(last, {}, 'y')).toEqual(near(y));
    const { y: shaped } = await runGraph(last, {}, ['y']);
    expect(shaped!.shape).toEqual(yShape);

    const turned: Record<string, (typeof attrs)[string]> = {
      ...attrs,
      data_format: attr.string(xShape.length === 5 ? 'NCDHW' : 'NCHW'),
    };
    for (const key of ['strides', 'ksize']) {
      const list = attrs[key]?.list?.i?.map(Number);
      if (list) turned[key] = ints(...first(list));
    }
    if (attrs.explicit_paddings) turned.explicit_paddings = ints(0, 0, 0, 0, 1, 0, 0, 1);
    const x = constant('x', channelsFirst(xShape, counting(xShape)), first(xShape));
    const firsts = graphOf([x, ...others, node('y', op, inputs, turned)]);
    const answers = await runGraph(firsts, {}, ['y']);
    expect(answers.y!.shape).toEqual(first(yShape));
    expect(rounded(answers.y)).toEqual(near(channelsFirst(yShape, y)));
  });

  test('transposed convolutions, channels last and first', async () => {
    const y = [
      25.37891, 44.89844, 24.88281, -29.50781, 4.19141, 9.80469, -11.73438, -24.51562, -3.60937, 43.11719, 9.24219,
      24.45312, -22.70312, 58.01563, 70.92969, -12.48047, 11.17969, 18.41406, 16.71094, -7.73047,
    ];
    const attrs = conv([1, 1, 1, 1], 'VALID');
    const inputs = ['sizes', 'filter', 'x'];
    const last = graphOf([
      int32('sizes', [1, 4, 5, 1]),
      filter([2, 2, 1, 2]),
      image('x', IMAGE),
      node('y', 'Conv2DBackpropInput', inputs, attrs),
    ]);
    expect(await answer(last, {}, 'y')).toEqual(near(y));
    const nchw = graphOf([
      int32('sizes', [1, 1, 4, 5]),
      filter([2, 2, 1, 2]),
      constant('x', channelsFirst(IMAGE, counting(IMAGE)), first(IMAGE)),
      node('y', 'Conv2DBackpropInput', inputs, { ...attrs, data_format: attr.string('NCHW') }),
    ]);
    expect(await answer(nchw, {}, 'y')).toEqual(near(y));
    const rank5 = graphOf([
      int32('sizes', [1, 2, 3, 3, 1]),
      filter([1, 2, 2, 1, 2]),
      image('x', [1, 2, 2, 2, 2]),
      node('y', 'Conv3DBackpropInputV2', inputs, conv([1, 1, 1, 1, 1], 'VALID')),
    ]);
    expect(await answer(rank5, {}, 'y')).toEqual(
      near([
        25.37891, 44.89844, 39.05078, -28.33594, -59.01562, 8.38281, 7.91016, 19.33594, 30.95703, 23.97266, 17.77344,
        -21.04297, -28.89844, -22.82812, 10.75781, 8.75391, 30.39844, 41.17578,
      ]),
    );
  });

  test('a transposed convolution with dilations is refused', async () => {
    const graph = graphOf([
      int32('sizes', [1, 4, 5, 1]),
      filter([2, 2, 1, 2]),
      image('x', IMAGE),
      node('y', 'Conv2DBackpropInput', ['sizes', 'filter', 'x'], {
        ...conv([1, 1, 1, 1], 'VALID'),
        dilations: ints(1, 2, 2, 1),
      }),
    ]);
    const error = await failure(graph, {}, 'y');
    expect([error.code, error.message]).toEqual(['unsupported', 'Conv2DBackpropInput with dilations cannot be run']);
    expect(error.where).toBe('y');
  });
});
