import { describe, expect, it } from 'vitest';
import { FoldView } from '../../src/analysis/folding/view.js';
import { parseGraph } from '../../src/notation/parse.js';
import { channelRuleOf } from '../../src/ops/meaning.js';

/** What the rule of `y` says of a scale of three channels, and of a shift, along a dimension of the result or of x. */
function ruled(direction: 'backward' | 'forward', y: string, { axis = -1, scale = [1, 2, 3], isShifted = false } = {}) {
  const inputs = y.includes('p,') ? 'p = Placeholder[dtype=int32, shape=[4, 2]]\n' : '';
  const graph = parseGraph(`x = Placeholder[shape=[?, 4, 4, 3]]\nu = Placeholder()\n${inputs}y = ${y}`);
  const view = new FoldView({ graph, outputs: [], isKept: () => false });
  const shift = isShifted ? Float64Array.from(scale, () => 1) : undefined;
  const of = { axis, scale: Float64Array.from(scale), shift, stride: 1 };
  const node = graph.get('y');
  const result = channelRuleOf(node.op)![direction]!(view, node, of);
  if ('code' in result) return result.code;
  const [first] = Array.isArray(result) ? result : [result];
  return { axis: first.axis, isShifted: first.shift !== undefined };
}

const pool = (op: string, attrs: string) => `${op}(x)[strides=[1, 1, 1, 1], padding=VALID, ${attrs}]`;

describe.each(['backward', 'forward'] as const)('%s', (direction) => {
  it.each([
    ['a pool over channels', pool('AvgPool', 'ksize=[1, 1, 1, 3]'), {}, 'channels_moved'],
    ['a pool whose channels are not these', pool('AvgPool', 'ksize=[1, 2, 2, 1]'), { axis: -2 }, 'channels_moved'],
    [
      'a maximum of a negative scale',
      pool('MaxPool', 'ksize=[1, 2, 2, 1]'),
      { scale: [1, -1, 0] },
      'negative_scale_of_maximum',
    ],
    ['a maximum of scales that are not', pool('MaxPool', 'ksize=[1, 2, 2, 1]'), { scale: [1, 0, 2] }, { axis: -1 }],
    ['a pool of NCHW', pool('AvgPool', 'ksize=[1, 1, 2, 2], data_format=NCHW'), { axis: -3 }, { axis: -3 }],
    ['a mean over the channels that keeps them', 'Mean(x, [3])[keep_dims=true]', {}, 'channels_averaged'],
    ['a mean of an input of unknown rank', 'Mean(u, [1])', {}, 'channels_moved'],
    ['a reshape of an unknown input', 'Reshape(u, [-1, 3])', {}, 'channels_moved'],
    ['a transpose by data', 'Transpose(x, p)', {}, 'channels_moved'],
    ['a padding of the channels', 'Pad(x, [[0, 0], [1, 1], [0, 0], [0, 1]])', {}, 'channels_padded'],
    ['a padding by data', 'Pad(x, p)', {}, 'channels_padded'],
    ['a padding with ones', 'PadV2(x, [[0, 0], [1, 1], [0, 0], [0, 0]], 1.0)', {}, 'padded_with_another_number'],
    ['a resizing of another layout', 'ResizeNearestNeighbor(x, [2, 2])[T=float32]', { axis: -3 }, 'channels_moved'],
    ['a resizing of half', 'ResizeNearestNeighbor(x, [2, 2])[T=float16]', {}, 'channels_moved'],
    ['blocks along the channels', 'SpaceToBatchND(x, [2], [[0, 0]])', { axis: -3 }, 'channels_moved'],
    ['blocks of one along the channels', 'SpaceToBatchND(x, [1], [[0, 0]])', { axis: -3 }, { axis: -3 }],
    ['older blocks', 'SpaceToBatch(x, [[0, 0], [0, 0]])[block_size=2]', {}, { axis: -1 }],
  ])('%s', (_, y, options, expected) => {
    const result = ruled(direction, y, options);
    if (typeof expected === 'string') expect(result).toBe(expected);
    else expect(result).toMatchObject(expected);
  });
});

describe('a shift', () => {
  it.each([
    ['Pad(x, [[0, 0], [1, 1], [0, 0], [0, 0]])', false],
    ['MirrorPad(x, [[0, 0], [1, 1], [0, 0], [0, 0]])[mode=REFLECT]', true],
    ['SpaceToBatchND(x, [2, 2], [[0, 0], [0, 0]])', true],
    ['SpaceToBatchND(x, [2, 2], [[2, 0], [0, 0]])', false],
    ['BatchToSpaceND(x, [2, 2], [[1, 0], [0, 0]])', true],
    ['Mean(x, [1, 2])', true],
  ])('before %s: %s', (y, isKept) => {
    expect(ruled('backward', y, { isShifted: true })).toMatchObject({ isShifted: isKept });
    const forward = ruled('forward', y, { isShifted: true });
    if (isKept) expect(forward).toMatchObject({ isShifted: true });
    else expect(forward).toBe('padding_sees_shift');
  });
});

describe('the channels of a flatten', () => {
  it('are in the last dimension, with what was behind them', () => {
    const graph = parseGraph('x = Placeholder[shape=[?, 3, 4, 2]]\ny = Reshape(x, [-1, 24])');
    const view = new FoldView({ graph, outputs: [], isKept: () => false });
    const pending = { axis: -3, scale: Float64Array.of(1, 2, 3), shift: undefined, stride: 1 };
    expect(channelRuleOf('Reshape')!.forward!(view, graph.get('y'), pending)).toEqual({
      ...pending,
      axis: -1,
      stride: 8,
    });
  });
});
