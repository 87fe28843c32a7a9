import { expect, it } from 'vitest';
import { findUpdates } from '../../../src/analysis/state/moving_averages.js';
import { statisticsOfUnknownUpdates } from '../../../src/analysis/state/unknown_updates.js';
import { findVariables } from '../../../src/analysis/state/variables.js';
import { findActivations } from '../../../src/analysis/training/activations.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';

/** The ops whose statistics update `v`, or `table`, in a way that is not recognised. */
function statisticsOf(update: string): string[] {
  const graph = parseGraph(`x = Placeholder[shape=[?, 4, 4, 2]]
i = Placeholder[int32, shape=[1]]
v = VariableV2[shape=[2]]
last = VariableV2[shape=[2]]
table = VariableV2[shape=[5, 2]]
m = Mean(x, [0, 1, 2])
bn = FusedBatchNormV3(x, [1.0, 1.0], [0.0, 0.0], [], [])[epsilon=0.001, is_training=true]
${update}`);
  const variables = findVariables(modelOf(graph));
  const { averages } = findUpdates(graph, variables, findActivations(graph));
  return [...statisticsOfUnknownUpdates(graph, variables, averages)];
}

it.each([
  ['AssignAdd(v, m)', ['m']],
  ['AssignAdd(v, Square(m) * 2.0)', ['m']],
  ['AssignAdd(v, bn:1)', ['bn']],
  ['AssignAdd(v, ConcatV2(StridedSlice(m, [0], [1], [1]), StridedSlice(bn:2, [1], [2], [1]), 0))', ['m', 'bn']],
  ['ScatterAdd(table, i, ExpandDims(m, 0))', ['m']],
  ['AssignAdd(v, Max(x, [0, 1, 2]))', ['AssignAdd/Max']],
])('%s', (update, names) => {
  expect(statisticsOf(update).sort()).toEqual([...names].sort());
});

it.each([
  ['a moving average', 'AssignSub(v, (v - m) * 0.1)'],
  ['a chain of averages', 'Assign(last, m)\nAssignSub(v, (v - last) * 0.1)'],
  ['the result of a batch norm', 'AssignAdd(v, StridedSlice(Reshape(bn, [-1]), [0], [2], [1]))'],
  [
    'what another op computes',
    'AssignAdd(v, StridedSlice(MatMul(Reshape(m, [1, 2]), Placeholder[shape=[2, 2]]), [0], [1], [1])[shrink_axis_mask=1])',
  ],
  ['what is no variable', 'AssignAdd(x, m)'],
  ['another op that reads it', 'y = Add(v, m)'],
])('is nothing to %s', (_, update) => {
  expect(statisticsOf(update)).toEqual([]);
});
