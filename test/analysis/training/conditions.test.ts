import { describe, expect, it } from 'vitest';
import {
  conditionOf,
  conditionsOf,
  hasMoreThanTwoValues,
  isMode,
  isScalarNumber,
  rootsOf,
} from '../../../src/analysis/training/conditions.js';
import { refText } from '../../../src/graph/node.js';
import { ancestors } from '../../../src/graph/walk.js';
import { parseGraph } from '../../../src/notation/parse.js';

const GIVEN = `
  x = Placeholder[shape=[?, 2]]
  f = Placeholder[bool, shape=[]]
  g = Placeholder[bool, shape=[]]
  mode = Placeholder[int32, shape=[]]
  v = VariableV2[bool, shape=[]]
`;
const graphOf = (text: string) => parseGraph(GIVEN + text);

describe('conditions', () => {
  const of = (text: string) => {
    const graph = graphOf(text);
    return conditionsOf(graph, ancestors(graph, ['y'], false))
      .map(refText)
      .sort();
  };
  it.each([
    ['of a Select', 'y = Select(f, x, Relu(x))', ['f']],
    ['of a Switch', 's = Switch(x, f)\ny = Merge(s, Relu(s:1))', ['f']],
    ['behind ops that forward it', 'i = Identity(f)\ny = Select(Reshape(i, [1]), x, Relu(x))', ['f']],
    ['once each', 'y = Select(f, Select(f, x, Tanh(x)), Relu(x))', ['f']],
    ['that are computed', 'c = LogicalAnd(f, g)\ny = Select(c, x, Relu(x))', ['c']],
    ['of what feeds nothing', 'y = Relu(x)\nz = Select(f, x, y)', []],
    [
      'of loops',
      'e = Enter(x)[frame_name=l]\nm = Merge(e, n)[N=2]\nc = LoopCond(f)\ns = Switch(m, c)\nn = NextIteration(s:1)\ny = Exit(s)',
      [],
    ],
  ])('%s', (_, text, conditions) => expect(of(text)).toEqual(conditions));

  it('are of Switches and Selects only', () => {
    const graph = graphOf('y = Select(f, x, Relu(x))\ns = Switch(x, g)\nr = Relu(x)');
    expect(['y', 's', 'r'].map((name) => conditionOf(graph.get(name))?.node)).toEqual(['f', 'g', undefined]);
  });
});

describe('a condition is a mode', () => {
  const of = (text: string) => isMode(graphOf(text), { node: 'c', port: 0 });
  it.each([
    ['c = Identity(f)', true],
    ['c = LogicalAnd(f, LogicalNot(g))', true],
    ['c = Equal(mode, 2)', true],
    ['c = Identity(v)', true],
    ['c = Const[bool, value=true]', true],
    ['c = Greater(Slice(x, [0, 0], [1, 1]), 0.0)', false],
    ['c = Less(RandomUniform([]), 0.5)', false],
    ['c = LogicalAnd(f, Greater(Mean(x, [0, 1]), 0.0))', false],
    ['c = Placeholder[bool, shape=[1]]', true],
    ['c = Placeholder[bool, shape=[2]]', false],
    ['c = VariableV2[bool, shape=[3]]', false],
  ])('%s: %s', (text, result) => expect(of(text)).toBe(result));
});

describe('the roots of conditions', () => {
  const of = (text: string) => rootsOf(graphOf(text), [{ node: 'c', port: 0 }]);
  it.each([
    ['c = LogicalOr(LogicalNot(g), f)', ['f', 'g']],
    ['c = Equal(mode, 2)', ['mode']],
    ['c = LogicalAnd(v, Identity(f))', ['f', 'v']],
    ['c = LogicalAnd(f, Greater(x, 0.0))', ['f']],
    ['s = Switch(f, g)\nc = Identity(s:1)', ['f']],
    [
      'n = VariableV2[int64, shape=[]]\nc = Less(AssignAdd(n, Const[int64, value=1]), Const[int64, value=9])',
      ['c/AssignAdd'],
    ],
    ['c = Equal(Placeholder[string, shape=[]], "train")', []],
    ['c = Greater(Mean(x, [0, 1]), 0.0)', []],
  ])('%s: %j', (text, roots) => expect(of(text)).toEqual(roots));
});

describe('a root has more than two values', () => {
  const of = (text: string, root = 'mode') => hasMoreThanTwoValues(graphOf(text), root, ({ name }) => name !== 'dead');
  it.each([
    ['c = Equal(mode, 2)', true],
    ['c = Equal(2, mode)', true],
    ['c = Equal(mode, -1)', true],
    ['c = Equal(mode, 1)', false],
    ['c = Equal(mode, 0)', false],
    ['c = Greater(Cast(mode)[SrcT=int32, DstT=float], 0.5)', false],
    ['i = Identity(mode)\nc = Equal(Cast(i)[SrcT=int32, DstT=int64], Const[int64, value=3])', true],
    ['dead = Equal(mode, 2)', false],
    ['c = Equal(mode, Placeholder[int32, shape=[]])', false],
    ['y = Add(mode, 2)\nc = Equal(y, 5)', false],
    ['s = Switch(x, f)\nt = Reshape(x, mode)\nc = Greater(t, 2.0)', false],
  ])('%s: %s', (text, result) => expect(of(text)).toBe(result));
});

describe('a placeholder or variable is one number', () => {
  it.each([
    ['n = Placeholder[int32, shape=[]]', true],
    ['n = Placeholder[bool, shape=[1, 1]]', true],
    ['n = Placeholder[shape=?]', true],
    ['n = VariableV2[int64, shape=[]]', true],
    ['n = Placeholder[uint8, shape=[]]', true],
    ['n = Placeholder[string, shape=[]]', false],
    ['n = Placeholder[shape=[2]]', false],
    ['n = Placeholder[shape=[?]]', false],
    ['n = VariableV2[double, shape=[]]', false],
  ])('%s: %s', (text, result) => expect(isScalarNumber(graphOf(text).get('n'))).toBe(result));
});
