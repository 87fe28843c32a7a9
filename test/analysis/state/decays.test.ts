import { describe, expect, it } from 'vitest';
import { findUpdates } from '../../../src/analysis/state/moving_averages.js';
import { findVariables } from '../../../src/analysis/state/variables.js';
import { findActivations } from '../../../src/analysis/training/activations.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';

const GIVEN = `
  x = Placeholder[shape=[?, 2]]
  m = Mean(x, [0])
  training = Placeholder[bool, shape=[]]
  momentum = Placeholder[shape=[]]
  v = VariableV2[shape=[2]], w = VariableV2[shape=[2]], biased = VariableV2[shape=[2]]
  step = VariableV2[shape=[]]
  count = AssignAdd(step, 1.0)
`;

/** The momentum of each variable that averages something, to six digits. */
function decaysOf(text: string): Record<string, number> {
  const graph = parseGraph(GIVEN + text);
  const { decays } = findUpdates(graph, findVariables(modelOf(graph)), findActivations(graph));
  return Object.fromEntries([...decays].map(([name, decay]) => [name, Number(decay.toPrecision(6))]));
}

describe('the momentum of a moving average', () => {
  it.each([
    ['a step towards the statistic', 'AssignSub(v, (v - m) * 0.1)', 0.9],
    ['a step the other way round', 'AssignAdd(v, (m - v) * 0.25)', 0.75],
    ['a weighted sum', 'Assign(v, v * 0.9 + m * 0.1)', 0.9],
    ['a factor that starts with the first statistic', 'AssignSub(v, (v - m) * Select(training, 1.0, 0.1))', 0.9],
    ['a factor that a Select takes', 'AssignSub(v, (v - m) * Select(training, 0.1, 0.0))', 0.9],
    ['a factor that a Select takes, the other way round', 'AssignSub(v, (v - m) * Select(training, 0.0, 0.1))', 0.9],
    ['a factor that a Merge takes', 'AssignSub(v, (v - m) * Merge(Switch(0.0, training), t:1)[N=2])', 0.9],
  ])('is known of %s', (_, text, expected) => {
    expect(decaysOf(`t = Switch(0.1, training)\n${text}`).v).toBe(expected);
  });

  it.each([
    ['is only known at run time', 'AssignSub(v, (v - m) * momentum)'],
    ['differs between updates', 'AssignSub(v, (v - m) * 0.1)\nAssignSub(v, (v - m) * 0.2)'],
    ['is chosen at run time', 'AssignSub(v, (v - m) * Select(training, 0.1, momentum))'],
    ['is that of a copy', 'Assign(v, m)'],
  ])('is not known if it %s', (_, text) => {
    expect(decaysOf(text).v).toBeUndefined();
  });

  it('is the same for two equal updates', () => {
    expect(decaysOf('AssignSub(v, (v - m) * 0.1)\nAssignSub(v, (v - m) * 0.1)')).toEqual({ v: 0.9 });
  });

  it('of a variable that is set to a corrected average is that of the average', () => {
    const text = `
      update = AssignSub(biased, (biased - m) * 0.1)
      factor = 1.0 - Pow(0.9, count)
      corrected = Assign(v, update / factor)`;
    expect(decaysOf(text)).toEqual({ biased: 0.9, v: 0.9 });
  });
});

describe('what depends on data', () => {
  /** The variables that some op updates with data. */
  const updatedIn = (text: string) => {
    const graph = parseGraph(GIVEN + text);
    return [...findUpdates(graph, findVariables(modelOf(graph)), findActivations(graph)).updated].sort();
  };

  it.each([
    ['a statistic', 'AssignSub(v, (v - m) * 0.1)', ['v']],
    ['a constant', 'AssignSub(v, (v - [1.0, 2.0]) * 0.1)', []],
    ['another variable', 'AssignSub(v, (v - w) * 0.1)', []],
    ['another variable that data updates', 'AssignSub(w, (w - m) * 0.1)\nAssignSub(v, (v - w) * 0.1)', ['v', 'w']],
    ['random numbers', 'AssignSub(v, (v - RandomUniform([2])) * 0.1)', []],
    ['what the net is fed with', 'p = Placeholder[shape=[2]]\nAssign(v, p)', []],
    [
      'a function of what it is fed with',
      'p = Placeholder[shape=[2, 2]]\nAssign(v, Reshape(MatMul(p, p), [4]))',
      ['v'],
    ],
    ['a size', 'Assign(v, Cast(Shape(x))[SrcT=int32, DstT=float])', []],
    ['a handle', 'h = VarHandleOp[shape=[2]]\nr = ReadVariableOp(h)\nAssignVariableOp(h, r * 0.9 + m * 0.1)', ['h']],
  ])('is a variable that is updated with %s', (_, text, expected) => {
    expect(updatedIn(text)).toEqual(expected);
  });
});
