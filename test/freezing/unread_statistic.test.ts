import { expect, it } from 'vitest';
import { freeze } from '../../src/freezing/freeze.js';
import { parseGraph } from '../../src/notation/parse.js';
import { modelOf } from '../support/model.js';
import { checkpointOf } from '../support/text_cases.js';

it('a statistic whose update ops were stripped is refused; the fixes work', () => {
  const graph = parseGraph(`
    x = Placeholder[shape=[?, 2]]
    bn/moving_mean = VariableV2[shape=[2]]
    w = VariableV2[shape=[2]]
    m = Mean(x, [0])
    y = (x - m) * w
  `);
  const model = modelOf(graph, checkpointOf({ 'bn/moving_mean': [1, 2], w: [3, 4] }, graph));
  const options = { outputs: ['y'] };
  expect(() => freeze(model, options)).toThrow(
    expect.objectContaining({
      code: 'statistics',
      message: 'm may be a batch statistic that a moving statistic replaces at inference',
      fixes: [
        { option: 'map', value: 'm=bn/moving_mean', text: 'reads bn/moving_mean at inference' },
        { option: 'keep', value: 'm', text: 'keeps using the batch at hand' },
      ],
    }),
  );
  expect(freeze(model, { ...options, map: { m: 'bn/moving_mean' } }).graph.has('m')).toBe(false);
  expect(freeze(model, { ...options, keep: ['m'] }).graph.has('m')).toBe(true);
});

it('a tensor that all examples share is not replaced by the fixes: which of the tensors is the statistic is not certain', () => {
  const graph = parseGraph(`
    x = Placeholder[shape=[8, 2]]
    bn/moving_mean = VariableV2[shape=[2]]
    m = MatMul(Const[shape=[1, 8], value=0.125], x)
    y = x - m
  `);
  expect(() => freeze(modelOf(graph, checkpointOf({ 'bn/moving_mean': [1, 2] }, graph)), { outputs: ['y'] })).toThrow(
    expect.objectContaining({
      why: 'it depends on data, but all examples share it, and feeds an output, and nothing reads bn/moving_mean, by name a moving statistic of its size',
      fixes: [{ option: 'keep', value: 'm', text: 'keeps using the batch at hand' }],
    }),
  );
});
