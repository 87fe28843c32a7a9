import { expect, it } from 'vitest';
import { analyse } from '../../src/freezing/analyse.js';
import { parseGraph } from '../../src/notation/parse.js';
import { trainingGraph } from '../../src/proof/training_graph.js';
import { modelOf } from '../support/model.js';

const GRAPH = parseGraph(`
  x = Placeholder[shape=[?, 4, 4, 2]]
  flag = Placeholder[bool, shape=[]]
  s = Switch(x, flag)
  train = FusedBatchNorm(s:1, [1.0, 1.0], [0.0, 0.0], [], [])[is_training=true]
  infer = FusedBatchNorm(s, [1.0, 1.0], [0.0, 0.0], [0.5, 0.25], [2.0, 3.0])[is_training=false]
  y = Merge(infer, train)
  only = Switch(y, flag)
  at_inference = Relu(only)
`);

const trainingOf = (output: string) => trainingGraph(analyse(modelOf(GRAPH), { outputs: [output] }));

it('is the saved graph with the other value of the flag that switches its batch norms', () => {
  const training = trainingOf('y');
  expect(training?.flags).toEqual({ flag: true });
  expect([...training!.graph.nodes()].map(({ op }) => op).filter((op) => op.startsWith('Fused'))).toEqual([
    'FusedBatchNorm',
  ]);
  expect(training!.graph.find('train')).toBeDefined();
});

it('is missing where an output is computed at inference only', () => {
  expect(trainingOf('at_inference')).toBeUndefined();
});
