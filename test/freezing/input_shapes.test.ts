import { describe, expect, it } from 'vitest';
import { fold } from '../../src/freezing/fold.js';
import { freeze } from '../../src/freezing/freeze.js';
import type { FreezeOptions } from '../../src/freezing/options.js';
import { parseGraph } from '../../src/notation/parse.js';
import { runGraph } from '../../src/run/run.js';
import { modelOf } from '../support/model.js';
import { counted, literal } from '../support/run.js';

/** Sizes are computed from the picture: the flattened size is 2 * 2 * 4 for pictures of 8 x 8. */
const NET = `
  x = Placeholder[shape=[?, ?, ?, 3]]
  conv = Conv2D(x, ${literal([3, 3, 3, 4])})[padding=VALID, strides=[1, 1, 1, 1]]
  bn = FusedBatchNormV3(conv, [1.0, 2.0, 1.0, 2.0], [0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0], [4.0, 1.0, 4.0, 1.0])[is_training=false]
  pool = MaxPool(Relu(bn))[ksize=[1, 3, 3, 1], padding=VALID, strides=[1, 2, 2, 1]]
  shape = Shape(pool)
  batch = StridedSlice(shape, [0], [1], [1])[shrink_axis_mask=1]
  rest = StridedSlice(shape, [1], [4], [1])
  flat = Reshape(pool, Pack(batch, Prod(rest, 0))[axis=0])
  y = MatMul(flat, ${literal([16, 2])})`;

const run = (make: typeof freeze | typeof fold, inputShapes: FreezeOptions['inputShapes'], text = NET) =>
  make(modelOf(parseGraph(text)), { outputs: ['y'], ...(inputShapes && { inputShapes }) });

const failureOf = (inputShapes: unknown, text = NET, options: FreezeOptions = {}) => {
  try {
    freeze(modelOf(parseGraph(text)), { outputs: ['y'], ...options, inputShapes: inputShapes as never });
  } catch (error) {
    const { code, message, why, fix, option } = error as Record<string, unknown>;
    return { code, message, why, fix, option };
  }
  return undefined;
};

const usage = (message: string, rest: object = {}) =>
  expect.objectContaining({ code: 'usage', option: 'inputShapes', message, ...rest });

describe.each([
  ['freeze', freeze],
  ['fold', fold],
] as const)('%s', (_, make) => {
  it.each([
    [
      [2, 8, 8, 3],
      ['Const', 'Conv2D', 'MatMul', 'MaxPool', 'Placeholder', 'Relu', 'Reshape'],
    ],
    [
      [-1, 8, 8, 3],
      [
        ...['Const', 'Conv2D', 'MatMul', 'MaxPool', 'Pack', 'Placeholder', 'Relu'],
        ...['Reshape', 'Shape', 'StridedSlice'],
      ],
    ],
  ])('evaluates what follows from %j, and outputs the same', async (shape, ops) => {
    const [plain, fixed] = [run(make, undefined), run(make, shape)];
    const others = new Set(['BiasAdd', 'FusedBatchNormV3']);
    const left = [...new Set([...fixed.graph.nodes()].map(({ op }) => op))].filter((op) => !others.has(op)).sort();
    expect(left).toEqual(ops);
    expect(fixed.report.inputs).toEqual([{ name: 'x:0', dtype: 'float32', shape }]);
    expect(fixed.report.outputs).toEqual([{ name: 'y:0', dtype: 'float32', shape: [shape[0], 2] }]);
    expect(fixed.report.outcomes).toContainEqual({ kind: 'input_shape', placeholder: 'x', shape });
    const feeds = { x: counted([2, ...shape.slice(1)]) };
    expect(await runGraph(fixed.graph, feeds, ['y'])).toEqual(await runGraph(plain.graph, feeds, ['y']));
  });
});

it('does not make an instance norm of a batch norm in training mode by a batch of 1', () => {
  const text = `
    x = Placeholder[shape=[?, 4, 4, 2]]
    y = FusedBatchNormV3(x, [1.0, 1.0], [0.0, 0.0], [], [])[is_training=true]`;
  expect(failureOf([1, 4, 4, 2], text)).toMatchObject({ code: 'statistics' });
});

describe('refuses', () => {
  it.each<[string, unknown, ReturnType<typeof usage>]>([
    [
      'another rank',
      [1, 8, 8],
      usage('[1,8,8] is not a shape of x', { why: 'the placeholder has the shape [?,?,?,3]' }),
    ],
    [
      'a fixed dimension',
      { x: [1, 8, 8, 4] },
      usage('[1,8,8,4] is not a shape of x', { fix: 'inputShapes: x=1,8,8,3' }),
    ],
    [
      'a kernel that is larger than the picture',
      [1, 2, 8, 3],
      usage('x=1,2,8,3 does not fit the graph', {
        why: expect.stringContaining('conv (Conv2D): [1,2,8,3] and [3,3,3,4] do not fit together'),
      }),
    ],
    [
      'a window that is larger than the picture',
      [1, 4, 4, 3],
      usage('x=1,4,4,3 does not fit the graph', {
        why: expect.stringContaining('pool (MaxPool): [1,2,2,4] and [1,3,3,1] do not fit together'),
      }),
    ],
    [
      'matrices that do not match',
      [1, 16, 16, 3],
      usage('x=1,16,16,3 does not fit the graph', {
        why: 'y (MatMul): [1,144] and [16,2] do not fit together',
      }),
    ],
    [
      'an input that does not exist',
      { X: [1, 8, 8, 3] },
      usage('X is not an input of the result', { fix: 'did you mean x?' }),
    ],
    ['two shapes of one input', { x: [1, 8, 8, 3], 'x:0': [2, 8, 8, 3] }, usage('x has two shapes')],
    ['sizes that are none', { x: [1, 2.5, 8, 3] }, usage('the shape of x is not a list of sizes')],
    ['a shape that is text', { x: '1,8,8,3' }, usage('the shape of x is not a list of sizes')],
    ['a negative size', [-2, 8, 8, 3], usage('the shape of x is not a list of sizes')],
  ])('%s', (_, shape, error) => {
    expect(failureOf(shape)).toEqual(error);
  });

  it('an open batch for sizes that one picture does not fit', () => {
    const text = `
      x = Placeholder[shape=[?, ?, 2]]
      y = MatMul(Reshape(x, [-1, 8]), float32[8, 2] #1)`;
    expect(failureOf([-1, 2, 2], text)).toEqual(
      usage('x=?,2,2 does not fit the graph', {
        why: 'y/Reshape (Reshape): [1,2,2] and [?,8] do not fit together with a batch of 1',
      }),
    );
    expect(failureOf([-1, 4, 2], text)).toBeUndefined();
    expect(failureOf([2, 2, 2], text)).toBeUndefined();
  });

  it('a shape without a name for two inputs', () => {
    const text = 'x = Placeholder[shape=?]\nz = Placeholder[shape=[?, 2]]\ny = x + z';
    expect(failureOf([1, 2], text)).toEqual(
      usage('the shape names no input', { why: 'the inputs are x, z', fix: expect.stringContaining('x=SHAPE') }),
    );
    expect(failureOf({ x: [3, 2], z: [2, 2] }, text)).toEqual(
      usage('x=3,2 and z=2,2 does not fit the graph', { why: 'y (AddV2): [3,2] and [2,2] do not fit together' }),
    );
    expect(failureOf({ x: [1, 2], z: [2, 2] }, text)).toBeUndefined();
  });
});

it('takes the name of a tensor where the graph is cut, and another batch there', () => {
  const text = `
    it = IteratorV2[output_shapes=[[8, 4, 2], [8]], output_types=[float32, int32]]
    next = IteratorGetNext(it)[output_shapes=[[8, 4, 2], [8]], output_types=[float32, int32]]
    y = Relu(next)`;
  const shapeOf = (inputShapes: FreezeOptions['inputShapes'], inputs?: string[]) => {
    const options = { outputs: ['y'], ...(inputShapes && { inputShapes }), ...(inputs && { inputs }) };
    return freeze(modelOf(parseGraph(text)), options).report.inputs[0]!.shape;
  };
  expect(shapeOf({ 'next:0': [1, 4, 2] })).toEqual([1, 4, 2]);
  expect(shapeOf({ next: [-1, 4, 2] }, ['next'])).toEqual([-1, 4, 2]);
  expect(() => shapeOf({ next: [1, 5, 2] })).toThrow('[1,5,2] is not a shape of next');
});

it('drops an input that only gave its shape', () => {
  const text = 'x = Placeholder[shape=[?, 4]]\nz = Placeholder[shape=[?, ?]]\ny = Reshape(x, Shape(z))';
  const { report } = run(freeze, { z: [2, 8] }, text);
  expect(report.inputs.map(({ name }) => name)).toEqual(['x:0']);
});
