import { expect, it } from 'vitest';
import { freeze } from '../../src/freezing/freeze.js';
import { parseGraph } from '../../src/notation/parse.js';
import { modelOf } from '../support/model.js';
import { checkpointOf } from '../support/text_cases.js';

it('statistics that a flag selects were never trained: the fixes name the flag, and work', () => {
  const graph = parseGraph(`
    x = Placeholder[shape=[?, 4, 4, 2]]
    moving_mean = VariableV2[shape=[2]]
    moving_variance = VariableV2[shape=[2]]
    training = Placeholder[bool, shape=[]]
    s = Switch(x, training)
    train = FusedBatchNormV3(s:1, [1.0, 1.0], [0.0, 0.0], [], [])[epsilon=0.001, is_training=true]
    use = FusedBatchNormV3(s, [1.0, 1.0], [0.0, 0.0], moving_mean, moving_variance)[epsilon=0.001, is_training=false]
    y = Merge(use, train)[N=2]
    mean = Merge(moving_mean, train:1)[N=2]
    variance = Merge(moving_variance, train:2)[N=2]
    AssignSub(moving_mean, (moving_mean - mean) * 0.1)
    AssignSub(moving_variance, (moving_variance - variance) * 0.1)
  `);
  const model = modelOf(graph, checkpointOf({ moving_mean: [0, 0], moving_variance: [1, 1] }, graph));
  const options = { outputs: ['y'] };
  expect(() => freeze(model, options)).toThrow(
    expect.objectContaining({
      message: '2 moving statistics were never trained',
      fixes: expect.arrayContaining([
        {
          option: 'set',
          value: 'training=true',
          text: 'together with the next one leaves the graph in training mode',
        },
        { option: 'keep', value: '*', text: 'accepts its batch norms as they are' },
      ]),
    }),
  );
  const kept = freeze(model, { ...options, set: { training: true }, keep: ['*'] });
  expect(kept.report.batchNorms.map(({ status }) => status)).toEqual(['kept']);
});
