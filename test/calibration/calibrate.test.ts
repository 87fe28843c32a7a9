import { describe, expect, it } from 'vitest';
import { calibrate } from '../../src/calibration/calibrate.js';
import type { CalibrateOptions } from '../../src/calibration/options.js';
import { BnfixError } from '../../src/errors.js';
import { freeze } from '../../src/freezing/freeze.js';
import type { Model } from '../../src/graph/model.js';
import { readBytes } from '../../src/graph/tensor.js';
import { load } from '../../src/load.js';
import { parseGraph } from '../../src/notation/parse.js';
import { type TensorValue, tensorValue } from '../../src/run/value.js';
import { modelOf } from '../support/model.js';
import { checkpointOf } from '../support/text_cases.js';
import { computed, opened } from './support.js';

/** Numbers that look random, always the same ones. */
function noise(shape: readonly number[], seed = 1): TensorValue {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state / 0x7fffffff) * 4 - 1;
  };
  return tensorValue('float32', shape, Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next));
}

async function failure(model: Model, options: CalibrateOptions): Promise<BnfixError> {
  try {
    await calibrate(model, options);
  } catch (error) {
    if (error instanceof BnfixError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

const fixture = (name: string) => load(new URL(`../fixtures/${name}/model.meta`, import.meta.url).pathname);

/** `y = (x - mean) * rsqrt(variance + epsilon)` by moments, without any moving average. */
const NORM = `
  x = Placeholder[shape=[?, 3]]
  axis = [0]
  m = Mean(x, axis)[keep_dims=false]
  d = SquaredDifference(x, m)
  v = Mean(d, axis)[keep_dims=false]
  e = [0.001]
  ve = Add(v, e)
  r = Rsqrt(ve)
  xm = Sub(x, m)
  y = Mul(xm, r)`;

describe('the batch size', () => {
  it.each(['deep_115', 'renorm_115', 'generator_115', 'flag_212'])('does not matter: %s', async (name) => {
    using model = await opened(name);
    const { data } = model.golden;
    const all = await computed(model.model, { data, batch: 20 });
    for (const batch of [1, 3, 7]) {
      const other = await computed(model.model, { data, batch });
      for (const [key, numbers] of all) {
        for (const [c, number] of numbers.entries()) {
          expect(Math.abs(other.get(key)![c]! - number)).toBeLessThanOrEqual(1e-9 * Math.abs(number));
        }
      }
    }
  });
});

it('all batches are computed by the same backend', async () => {
  using model = await load(new URL('../../examples/bag-model/bag-model-34000.meta', import.meta.url).pathname);
  const data = { 'input/image_input': noise([128, 16, 16, 3]) };
  // WebAssembly would be chosen for the large batch only.
  const [one, other] = [await computed(model, { data, batch: 16 }), await computed(model, { data, batch: 128 })];
  expect(other).toEqual(one);
});

describe('a good net', () => {
  it('changes by no more than the standard error', async () => {
    using model = await opened('deep_115');
    const [half, other] = [1, 2].map((seed) => ({ x: noise([400, 6, 6, 3], seed) }));
    const { graph } = await calibrate(model.model, { data: half! });
    const again = await calibrate(modelOf(graph), { data: other! });
    for (const { meanShift, standardError, varianceRatio } of again.report.calibration.layers) {
      const { mean, variance } = standardError!;
      // Of two samples, and in the worst channel.
      expect(meanShift!.typical).toBeLessThan(3 * mean.typical);
      expect(varianceRatio![0]).toBeGreaterThan(1 - 5 * variance.largest);
      expect(varianceRatio![1]).toBeLessThan(1 + 5 * variance.largest);
    }
  });

  it('is the same, bit by bit, with the same data', async () => {
    using model = await opened('deep_115');
    const { data } = model.golden;
    const { graph } = await calibrate(model.model, { data });
    const again = await calibrate(modelOf(graph), { data });
    for (const node of graph.nodes()) {
      if (node.tensor) expect(readBytes(again.graph.get(node.name).tensor!), node.name).toEqual(readBytes(node.tensor));
    }
  });
});

describe('only', () => {
  it('leaves the bytes of the others unchanged', async () => {
    using model = await fixture('slim_fused_115');
    const data = { images: noise([8, 8, 8, 3]) };
    const { graph, report } = await calibrate(model, { data, only: ['resnet_v1/block1/conv2'] });
    expect(report.calibration.layers.map(({ names }) => names)).toEqual([
      ['resnet_v1/block1/conv2/BatchNorm/FusedBatchNormV3'],
    ]);
    const before = freeze(model).graph;
    const differing = [...before.nodes()].filter(
      ({ name, tensor }) => tensor && !Buffer.from(readBytes(tensor)).equals(readBytes(graph.get(name).tensor!)),
    );
    expect(differing.map(({ name }) => name)).toEqual([
      'resnet_v1/block1/conv2/BatchNorm/moving_mean',
      'resnet_v1/block1/conv2/BatchNorm/moving_variance',
    ]);
  });

  it('refuses a name that no batch norm has', async () => {
    using model = await opened('deep_115');
    const error = await failure(model.model, { data: model.golden.data, only: ['bn1', 'bn9'] });
    expect(error.message).toBe('no batch norm named bn9');
  });

  it('refuses the others if they cannot be used', async () => {
    using model = await opened('deep_115');
    const error = await failure(model.model, { data: model.golden.data, only: ['bn1'] });
    expect(error.code).toBe('statistics');
    expect(error.message).toContain('moving statistics that were never trained');
  });
});

describe('data', () => {
  const cases: [string, Record<string, TensorValue>, string][] = [
    ['of another shape', { x: noise([4, 6, 5, 3]) }, 'x is [?,6,6,3], but its value is [4,6,5,3]'],
    [
      'of another dtype',
      { x: { ...noise([4, 6, 6, 3]), dtype: 'float64', data: new Float64Array(432) } },
      'x is float32, but its value is float64',
    ],
    ['of no input', { y: noise([4, 6, 6, 3]) }, 'y is not an input of the graph'],
    ['that are missing', {}, 'no data for the input x'],
    ['without examples', { x: noise([0, 6, 6, 3]) }, 'no examples given'],
    [
      'with NaN',
      {
        x: tensorValue(
          'float32',
          [2, 6, 6, 3],
          Array.from({ length: 216 }, (_, i) => (i === 200 ? Number.NaN : i)),
        ),
      },
      'x contains NaN, in example 1',
    ],
    [
      'with infinity',
      {
        x: tensorValue(
          'float32',
          [2, 6, 6, 3],
          Array.from({ length: 216 }, (_, i) => (i === 3 ? Number.NEGATIVE_INFINITY : i)),
        ),
      },
      'x contains -Infinity, in example 0',
    ],
  ];
  it.each(cases)('%s are refused', async (_, data, message) => {
    using model = await opened('deep_115');
    const error = await failure(model.model, { data });
    expect([error.code, error.message]).toEqual(['usage', message]);
  });

  it('of several inputs need as many examples each', async () => {
    using model = await opened('generator_115');
    const error = await failure(model.model, { data: { z: noise([4, 8]), label: noise([5, 2]) } });
    expect(error.message).toBe('z has 4 examples, label has 5');
  });

  it('fit a batch that the graph fixes', async () => {
    const graph = parseGraph(NORM.replace('?', '4'));
    const { report } = await calibrate(modelOf(graph), { data: { x: noise([8, 3]) }, outputs: ['y'], batch: 3 });
    expect([report.calibration.examples, report.calibration.batch]).toEqual([8, 4]);
    const error = await failure(modelOf(graph), { data: { x: noise([6, 3]) }, outputs: ['y'] });
    expect(error.message).toBe('x takes 4 examples at a time, and there are 6');
    expect(error.fix).toBe('give 4 or 8 examples');
  });

  it('may come from a function that reads them when they are needed', async () => {
    using model = await opened('deep_115');
    const x = model.golden.data.x!;
    const asked: number[] = [];
    const read = (start: number, count: number) => {
      asked.push(count);
      const data = (x.data as Float32Array).slice(start * 108, (start + count) * 108);
      return Promise.resolve({ ...x, shape: [count, 6, 6, 3], data });
    };
    const one = await computed(model.model, { data: () => ({ x: { count: 20, read } }), batch: 8 });
    expect(one).toEqual(await computed(model.model, { data: { x } }));
    // A few show what the variables of an unfused batch norm hold, one how much there is to compute; then there are three passes.
    expect(asked).toEqual([4, 1, 8, 8, 4, 8, 8, 4, 8, 8, 4]);
  });
});

describe('warnings', () => {
  it('of constant channels, and of a single example', async () => {
    const model = modelOf(parseGraph(NORM));
    const x = tensorValue('float32', [4, 3], [1, 2, 5, 1, 3, 5, 1, 4, 5, 1, 5, 5]);
    const { report, graph } = await calibrate(model, { data: { x }, outputs: ['y'] });
    expect(report.calibration.notices).toContainEqual({ code: 'constant_channels', batchNorms: ['r'], channels: 2 });
    expect([...graph.nodes()].some(({ op }) => op === 'Mean')).toBe(false);
    const alone = await calibrate(model, { data: { x: noise([1, 3]) }, outputs: ['y'] });
    expect(alone.report.calibration.notices).toEqual([
      { code: 'few_examples', batchNorms: ['r'], needed: undefined },
      { code: 'constant_channels', batchNorms: ['r'], channels: 3 },
    ]);
  });

  it('of too few examples, but not of enough', async () => {
    const model = modelOf(parseGraph(NORM));
    const few = await calibrate(model, { data: { x: noise([50, 3]) }, outputs: ['y'] });
    const [notice] = few.report.calibration.notices;
    expect(notice).toMatchObject({ code: 'few_examples', batchNorms: ['r'] });
    const { needed } = notice as { needed: number };
    const enough = await calibrate(model, { data: { x: noise([needed + 200, 3]) }, outputs: ['y'] });
    expect(enough.report.calibration.notices).toEqual([]);
  });

  it('NaN that the net makes is refused, with the batch norm', async () => {
    const graph = parseGraph(
      NORM.replace('Mean(x', 'Mean(l')
        .replace('SquaredDifference(x', 'SquaredDifference(l')
        .replace('Sub(x', 'Sub(l')
        .replace('axis =', 'l = Log(x)\n  axis ='),
    );
    const error = await failure(modelOf(graph), { data: { x: noise([9, 3]) }, outputs: ['y'] });
    expect([error.code, error.message]).toEqual(['statistics', 'the input of r contains NaN or infinity']);
  });
});

describe('a constant that several ops read', () => {
  const norms = (...inputs: readonly string[]) =>
    modelOf(
      parseGraph(`
  x = Placeholder[shape=[?, 2, 2, 2]]
  gamma = [1.5, 1.5], beta = [0.5, 0.25], beta2 = [0.125, 0.5], zero = [0.0, 0.0], one = [1.0, 1.0]
  a = FusedBatchNorm(x, ${inputs[0]})[is_training=false]
  r = Relu(a)
  y = FusedBatchNorm(r, ${inputs[1]})[is_training=false]`),
    );
  const data = { x: noise([9, 2, 2, 2]) };

  it('is refused as statistics of different batch norms, or as a statistic and a scale', async () => {
    for (const inputs of [
      ['gamma, beta, zero, one', 'gamma, beta2, zero, one'],
      ['one, beta, zero, one', 'one, beta, zero, one'],
    ]) {
      const error = await failure(norms(...inputs), { data, outputs: ['y'] });
      expect([error.code, error.message]).toEqual(['unsupported', 'a cannot be calibrated']);
      expect(error.why).toMatch(/^one of its statistics is also used as something else: (zero|one)$/);
    }
  });

  it('is shared by a batch norm that is used twice', async () => {
    const { report } = await calibrate(norms('gamma, beta, zero, one', 'gamma, beta, zero, one'), {
      data,
      outputs: ['y'],
    });
    expect(report.calibration.layers.map(({ names }) => names)).toEqual([['a', 'y']]);
  });
});

it('a variable that is the mean of one batch norm and the variance of another is refused', async () => {
  const graph = parseGraph(`
  x = Placeholder[shape=[?, 2, 2, 2]]
  v = VariableV2[shape=[2]]
  w = VariableV2[shape=[2]]
  a = FusedBatchNorm(x, [1.5, 1.5], [0.5, 0.25], v, w)[is_training=false]
  r = Relu(a)
  y = FusedBatchNorm(r, [1.5, 1.5], [0.5, 0.25], w, v)[is_training=false]`);
  const model = modelOf(graph, checkpointOf({ v: [1, 2], w: [3, 4] }, graph));
  const error = await failure(model, { data: { x: noise([9, 2, 2, 2]) }, outputs: ['y'] });
  expect([error.code, error.message]).toEqual(['unsupported', 'y cannot be calibrated']);
  expect(error.why).toBe('one of its statistics is also used as something else: w');
});

describe('what freeze refuses for other reasons is refused', () => {
  it.each([
    ['weights_not_saved', 'the checkpoint has no value for the variable conv/weights'],
    ['average_of_average_113', 'several variables may hold the moving statistics of 2 of 2 batch norms'],
    ['rows_by_step', '2 of 2 batch norms in training mode have no usable moving statistics'],
    ['debiased_by_step', ' corrects moving statistics by the number of training steps'],
  ])('%s', async (name, message) => {
    using model = await fixture(name);
    const error = await failure(model, { data: {}, outputs: undefined as never });
    expect(error.message).toContain(message);
  });
});
