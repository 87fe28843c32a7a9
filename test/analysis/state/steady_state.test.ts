import { describe, expect, it } from 'vitest';
import { isStepCounter } from '../../../src/analysis/state/assignments.js';
import {
  CONVERGED_STEP,
  distinctNumber,
  isElementCount,
  LARGE_BATCH,
  SteadyState,
} from '../../../src/analysis/state/steady_state.js';
import { findVariables } from '../../../src/analysis/state/variables.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';

const TEXT = `x = Placeholder[shape=[?, 4]]
m = Mean(x, [0])
step = VariableV2[shape=[]]
count = AssignAdd(step, 1.0)
back = VariableV2[shape=[]]
AssignAdd(back, -1.0)
total = VariableV2[shape=[4]]
AssignAdd(total, m)
average = VariableV2[shape=[4]]
fixed = VariableV2[shape=[4]]
handle = VarHandleOp[shape=[4]]
n = Cast(StridedSlice(Shape(x), [0], [1], [1])[shrink_axis_mask=1])[DstT=float32, SrcT=int32]
`;

function steadyState(expression: string) {
  const graph = parseGraph(`${TEXT}y = ${expression}`);
  const state = new SteadyState(graph, findVariables(modelOf(graph)));
  const y = { node: 'y', port: 0 };
  return { graph, state, y };
}

const given = (name: string, value: number) => (ref: { node: string; port: number }) =>
  ref.node === name && ref.port === 0 ? value : undefined;
const nothing = () => undefined;

describe('after convergence', () => {
  it('what is given has its value, and a variable the limit of what it averages', () => {
    const { state, y } = steadyState('m * 2.0 + average');
    state.converged.set('average', { variable: 'average', base: { node: 'm', port: 0 }, limit: (x) => 10 * x });
    expect(state.valueOf(y, given('m', 3))).toBe(6 + 30);
  });

  it('a variable that is given itself has that value', () => {
    const { state, y } = steadyState('average + 1.0');
    state.converged.set('average', { variable: 'average', base: { node: 'm', port: 0 }, limit: (x) => 10 * x });
    expect(state.valueOf(y, given('average', 3))).toBe(4);
  });

  it.each([
    ['a step counter', 'step + 0.0', CONVERGED_STEP],
    ['its new value', 'Identity(count)', CONVERGED_STEP],
    ['a constant that is averaged', 'fixed + 1.0', 8],
  ])('%s', (_, expression, value) => {
    const { state, y } = steadyState(expression);
    state.constants.set('fixed', 7);
    expect(state.valueOf(y, nothing)).toBe(value);
    expect(state.valueOfUpdate(y, nothing)).toBe(value);
    expect(state.knownValueOfUpdate(y, nothing)).toBe(value);
  });

  it('batches are large while an update is evaluated', () => {
    const { state, y } = steadyState('n / (n - 1.0)');
    expect(state.valueOfUpdate(y, nothing)).toBeCloseTo(1, 8);
    expect(steadyState('Identity(n)').state.valueOfUpdate({ node: 'n', port: 0 }, nothing)).toBe(LARGE_BATCH);
  });

  it('is not known where it depends on something else', () => {
    for (const expression of ['m + 1.0', 'average + 1.0', 'back + 1.0', 'total + 1.0']) {
      const { state, y } = steadyState(expression);
      expect(state.knownValueOfUpdate(y, nothing), expression).toBeUndefined();
    }
    const { state, y } = steadyState('m + 1.0');
    expect(state.knownValueOfUpdate(y, given('m', 2))).toBe(3);
  });
});

it('a step counter is a variable to which a positive constant is added, or the op that does', () => {
  const { graph } = steadyState('Identity(x)');
  const isCounter = (name: string) => isStepCounter(graph, graph.get(name));
  expect(['step', 'count', 'back', 'AssignAdd', 'total', 'average', 'm'].filter(isCounter)).toEqual(['step', 'count']);
});

it.each([
  ['Shape(x)', true],
  ['Size(x)', true],
  ['Prod(GatherV2(Shape(x), [0], 0), [0])', true],
  ['Reshape(Identity(Shape(x)), [1])', true],
  ['Relu(Shape(x))', false],
  ['Identity(x)', false],
  ['Identity(3)', false],
])('%s counts elements: %s', (expression, expected) => {
  expect(isElementCount(steadyState(expression).graph, { node: 'y', port: 0 })).toBe(expected);
});

it('tensors have numbers between 1 and 3 that differ', () => {
  const refs = ['m', 'n', 'mn', 'nm', 'scope/a', 'scope/b'].flatMap((node) => [0, 1].map((port) => ({ node, port })));
  const numbers = refs.map(distinctNumber);
  expect(new Set(numbers).size).toBeGreaterThan(10);
  for (const number of numbers) expect(number >= 1 && number < 3).toBe(true);
  expect(refs.map(distinctNumber)).toEqual(numbers);
});
