import { expect, it } from 'vitest';
import { freeze } from '../../src/freezing/freeze.js';
import { parseGraph } from '../../src/notation/parse.js';
import { modelOf } from '../support/model.js';

it('refuses an output on a branch that a flag never takes', () => {
  const graph = parseGraph(`
    x = Placeholder[shape=[?, 2]]
    train = Placeholder[bool, shape=[]]
    s = Switch(x, train)
    inference = Relu(s)
    training = Tanh(s:1)`);
  const run = (output: string) => freeze(modelOf(graph), { outputs: [output], set: { train: false } });
  expect(() => run('training')).toThrow(
    expect.objectContaining({
      code: 'usage',
      message: 'training is never computed at inference',
      why: 'it is on a branch that is not taken with train=0',
    }),
  );
  expect(run('inference').graph.has('inference')).toBe(true);
});
