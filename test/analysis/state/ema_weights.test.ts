import { expect, it } from 'vitest';
import { useEmaWeights } from '../../../src/analysis/state/ema_weights.js';
import { findVariables } from '../../../src/analysis/state/variables.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';
import { checkpointOf } from '../../support/text_cases.js';

/** Variable -> the key and the evidence that it has with --ema. */
function keysOf(text: string, values?: Parameters<typeof checkpointOf>[0]) {
  const graph = parseGraph(text);
  const checkpoint = checkpointOf(values, graph);
  const variables = useEmaWeights(graph, findVariables(modelOf(graph, checkpoint)), checkpoint);
  return Object.fromEntries([...variables.byNode].map(([name, { key, evidence }]) => [name, `${key} by ${evidence}`]));
}

const SHADOW = 'w/ExponentialMovingAverage';
const NET = `x = Placeholder[shape=[?, 2]]
w = VariableV2[shape=[2]]
y = x * w`;

it('a weight has the value of the variable that averages it', () => {
  const text = `${NET}
average = VariableV2[shape=[2]]
AssignSub(average, (average - w) * 0.01)`;
  expect(keysOf(text, { w: [1, 2], average: [3, 4] })).toEqual({
    w: 'average by moving average',
    average: 'average by name',
  });
});

it('a weight has the value under its name and ExponentialMovingAverage, by that of its key first', () => {
  expect(keysOf(NET, { w: [1, 2], [SHADOW]: [3, 4] })).toEqual({ w: `${SHADOW} by moving average` });
  const restored = `${NET}
restore = RestoreV2("model", ["old"], [""])[dtypes=[float32]]
Assign(w, restore)`;
  const both = { old: [1, 2], 'old/ExponentialMovingAverage': [3, 4], [SHADOW]: [5, 6] };
  expect(keysOf(restored, both)).toEqual({ w: 'old/ExponentialMovingAverage by moving average' });
});

it('ops of the graph say more than a name', () => {
  const text = `${NET}
average = VariableV2[shape=[2]]
AssignSub(average, (average - w) * 0.01)`;
  expect(keysOf(text, { w: [1, 2], average: [3, 4], [SHADOW]: [5, 6] }).w).toBe('average by moving average');
  // An average without a value is none.
  expect(keysOf(text, { w: [1, 2], [SHADOW]: [5, 6] }).w).toBe(`${SHADOW} by moving average`);
});

it('the first average counts; one of another shape, of a statistic or of itself does not', () => {
  const text = `${NET}
m = Mean(x, [0])
other = VariableV2[shape=[1]]
AssignSub(other, (other - w) * 0.01)
moving_mean = VariableV2[shape=[2]]
AssignSub(moving_mean, (moving_mean - m) * 0.01)
own = Assign(w, w * 0.5)
first = VariableV2[shape=[2]]
AssignSub(first, (first - Identity(w)) * 0.01)
second = VariableV2[shape=[2]]
AssignSub(second, (second - w) * 0.001)`;
  const values = { w: [1, 2], other: [1], moving_mean: [0, 0], first: [3, 4], second: [5, 6] };
  expect(keysOf(text, values)).toEqual({
    w: 'first by moving average',
    other: 'other by name',
    moving_mean: 'moving_mean by name',
    first: 'first by name',
    second: 'second by name',
  });
});

it('a weight of a model without averages keeps its own', () => {
  expect(keysOf(NET, { w: [1, 2] })).toEqual({ w: 'w by name' });
  expect(keysOf(NET)).toEqual({ w: 'undefined by none' });
});
