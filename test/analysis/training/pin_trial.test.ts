import { describe, expect, it } from 'vitest';
import { parseTensorName } from '../../../src/graph/node.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { compareAllPins } from '../../support/compare_pins.js';

const GIVEN = `
  x = Placeholder[shape=[2]]
  z = Placeholder[shape=[2]]
  a = Placeholder[bool, shape=[]]
  b = Placeholder[bool, shape=[]]
  f = Placeholder[shape=[]]
`;

/** [what it shows, the graph, its outputs, the number of its flags] */
const GRAPHS: [string, string, string[], number][] = [
  ['a branch', 's = Switch(x, a)\ny = Merge(Relu(s), Tanh(s:1))', ['y'], 1],
  [
    'a branch in a branch',
    's = Switch(x, a)\nt = Switch(Exp(s:1), b)\nm = Merge(Relu(t), Tanh(t:1))\ny = Merge(Log(s), m)',
    ['y'],
    2,
  ],
  [
    'a branch that a control edge ends',
    's = Switch(x, a)\np = Identity(s:1)\nc = Relu(z, ^p)\ny = Merge(s, c)',
    ['y'],
    1,
  ],
  ['a tensor of both branches', 's = Switch(x, a), t = Switch(Exp(z), a)\ny = Merge(s + t, s:1 * t:1)', ['y'], 1],
  ['a Select', 'y = Select(a, Relu(x), Tanh(z))', ['y'], 1],
  ['Selects of one flag', 'p = Select(a, Relu(x), Tanh(z))\nq = Select(a, Exp(x), Tanh(z))\ny = p + q', ['y'], 1],
  ['a Select whose unused input is an output', 'r = Relu(x)\ny = Select(a, r, Tanh(z))', ['y', 'r'], 1],
  ['an input that is read twice', 'r = Relu(x)\ny = Select(a, r, Tanh(r))', ['y'], 1],
  [
    'flags that decide together',
    'y = Select(LogicalAnd(a, b), Relu(x), Select(LogicalOr(LogicalNot(a), b), Tanh(x), Exp(z)))',
    ['y'],
    2,
  ],
  ['a number that is compared', 'y = Select(Greater(f, 0.5), Relu(x), Tanh(z))', ['y'], 1],
  [
    'a factor beside a flag',
    'k = Cast(a)[SrcT=bool, DstT=float]\np = Exp(x) * k + Log(z) * (1.0 - k)\ny = Select(a, p, Tanh(z))',
    ['y'],
    1,
  ],
  [
    'a factor that is a number',
    'p = Exp(x) * f + Log(z) * (1.0 - f)\ny = Select(Greater(f, 0.5), p, Tanh(p))',
    ['y'],
    1,
  ],
  [
    'branches that one flag leaves undecided',
    's = Switch(x, a)\nt = Switch(z, b)\ny = Merge(s:1, Merge(t, Relu(t:1)))',
    ['y'],
    2,
  ],
  ['a constant condition', 'y = Select(a, Select(true, Relu(x), Exp(x)), Tanh(z))', ['y'], 1],
  ['what nothing needs', 'y = Select(a, Relu(x), Tanh(z))\nw = Select(b, y, Exp(z))', ['y'], 1],
  ['a port of a Switch as output', 's = Switch(x, a)\nt = Relu(s:1)', ['s', 't'], 1],
];

/** A loop whose turn a flag may change, behind a branch. */
const LOOP = `
  s = Switch(x, a)
  enter = Enter(s:1)[frame_name="loop"], merge = Merge(enter, next)
  cond = LoopCond(Less(merge, 9.0)), turn = Switch(merge, cond)
  inner = Select(b, Relu(turn:1), Tanh(turn:1)), next = NextIteration(inner)
  exit = Exit(turn), y = Merge(s, exit)
`;

describe('with a pin, the nodes that feed the outputs are those of a whole walk', () => {
  it.each([
    ...GRAPHS,
    ['a loop', LOOP, ['y'], 2] as const,
    ['a loop that is an output', LOOP, ['y', 'inner'], 2] as const,
  ])('%s', (_, text, outputs, flags) => {
    expect(compareAllPins(parseGraph(GIVEN + text), outputs.map(parseTensorName))).toBe(flags);
  });

  it('a Merge of what never runs and what runs, without an op between', () => {
    const text =
      'both = LogicalAnd(a, b)\ny = Select(both, Select(a, Relu(x), Tanh(x)), Merge(Switch(Exp(x), b), Log(x)))';
    expect(compareAllPins(parseGraph(GIVEN + text), [{ node: 'y', port: 0 }])).toBe(2);
  });
});
