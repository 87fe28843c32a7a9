import { describe, expect, it } from 'vitest';
import { findLift } from '../../../src/analysis/runnable/lift.js';
import { refText } from '../../../src/graph/node.js';
import { parseWithFunctions } from '../../support/parse_functions.js';

/** A loop of three iterations. */
const COUNTER = `x = Placeholder[shape=[?]]
flag = Placeholder[bool, shape=[]]
i = Merge(Enter(0)[frame_name=loop], next)[N=2]
go = LoopCond(Less(i, Const(^i)[value=3]))
s = Switch(i, go)
pivot = Identity(s:1)
next = NextIteration(AddV2(pivot, Const(^pivot)[value=1]))
ex = Enter(x)[frame_name=loop, is_constant=true]
`;
/** A branch in its body. */
const BRANCH = `${COUNTER}f = Enter(flag)[frame_name=loop, is_constant=true]
gate = Switch(f, f)
on = Identity(gate:1)
off = Identity(gate)
`;
/** A loop in its body that depends on the outer one only through `start`. */
const inner = (start: string) => `${COUNTER}j = Merge(Enter(${start})[frame_name=inner], after)[N=2]
jgo = LoopCond(Less(j, Const(^j)[value=2.0]))
js = Switch(j, jgo)
turn = Identity(js:1)
after = NextIteration(AddV2(turn, Const(^turn)[value=1.0]))
ix = Enter(ex)[frame_name=inner, is_constant=true]
`;
const START = 'Const(^pivot)[value=0.0]';

/** What changes, a line for each node; nodes without a name have the one of their reader. */
function lifted(text: string, fed: readonly string[] = []): string[] {
  const graph = parseWithFunctions(text);
  const { inputs, controls, exits } = findLift(graph, [{ node: 'y', port: 0 }], new Set(fed));
  return [
    ...[...inputs].map(([name, refs]) => `${name}(${refs.map(refText).join(', ')})`),
    ...[...controls].map(([name, names]) => `${name}(${['...', ...names.map((each) => `^${each}`)].join(', ')})`),
    ...[...exits].map(([name, ref]) => `${name} = ${refText(ref)}`),
  ];
}

describe('the net in the body of a loop', () => {
  it.each<[string, string, string[]]>([
    ['reads what enters the loop', `${COUNTER}y = Relu(ex)`, ['y(x)']],
    ['reads what enters the loop, further down', `${COUNTER}a = Relu(ex)\ny = Mul(a, ex)`, ['y(a, x)', 'a(x)']],
    [
      'keeps control inputs that choose a branch',
      `${BRANCH}b = Const(^on)[value=2.0]\ny = Mul(ex, Merge(b, Relu(gate))[N=2])`,
      ['y(x, y/Merge)', 'gate(flag, flag)'],
    ],
    [
      'keeps control inputs that follow from a branch',
      `${BRANCH}b = Const(^off)[value=2.0]\nc = Const(^b)[value=3.0]\na = Const(^on)[value=4.0]\ny = Mul(ex, Merge(c, a)[N=2])`,
      ['y(x, y/Merge)', 'gate(flag, flag)'],
    ],
    [
      'keeps control inputs from a loop in a branch',
      `${BRANCH}m = Merge(Enter(Const(^on)[value=0])[frame_name=inner], n)[N=2]
t = Switch(m, LoopCond(Less(m, Const(^m)[value=3])))
n = NextIteration(AddV2(t:1, Const(^t)[value=1]))
end = Exit(t)
c = Const(^end)[value=3.0]
y = Mul(ex, Merge(c, Const(^off)[value=2.0])[N=2])`,
      ['y(x, y/Merge)', 'gate(flag, flag)'],
    ],
    [
      'does without control inputs from behind a branch',
      `${BRANCH}m = Merge(on, off)[N=2]\nc = Const(^m)[value=2.0]\ny = Mul(ex, c)`,
      ['y(x, c)', 'c(...)'],
    ],
    ['stays where a branch depends on the iteration', `${COUNTER}y = Merge(Switch(ex, Less(pivot, 2)), ex)[N=2]`, []],
    [
      'keeps control inputs from outside',
      `${COUNTER}b = Const[value=1.0]\ny = Relu(ex, ^pivot, ^b)`,
      ['y(x)', 'y(..., ^b)'],
    ],
    ['stays if it depends on the iteration', `${COUNTER}y = Mul(ex, Cast(pivot)[DstT=float32])`, []],
    [
      'takes a loop in it along',
      `${inner(START)}jx = Switch(Merge(ix, NextIteration(ix))[N=2], jgo)\ny = Relu(Exit(jx))`,
      ['ix(x)', 'j/Const(...)'],
    ],
    ['takes a loop in it along that counts', `${inner(START)}y = Mul(ex, Exit(js))`, ['y(x, y/Exit)', 'j/Const(...)']],
    ['stays if a loop in it depends on the iteration', `${inner('Cast(pivot)[DstT=float32]')}y = Exit(js)`, []],
    ['leaves both loops that it is in', `${inner(START)}y = Relu(ix)`, ['y(x)']],
    ['leaves none of two loops if it depends on one', `${inner(START)}y = Mul(ix, turn)`, []],
    [
      'leaves none of two loops if it depends on the outer one',
      `${inner(START)}y = Mul(ix, Enter(Cast(pivot)[DstT=float32])[frame_name=inner])`,
      [],
    ],
  ])('%s', (_, text, changes) => {
    expect(lifted(text)).toEqual(changes);
  });
});

describe('a loop variable that never changes', () => {
  const variable = (name: string, next: string, from = 'x') =>
    `m${name} = Merge(Enter(${from})[frame_name=loop], ${name}next)[N=2]
${name} = Switch(m${name}, go)
${name}next = NextIteration(${next})
`;

  it.each<[string, string, string[]]>([
    ['is its initial value', `${variable('t', 't:1')}y = Relu(t:1)`, ['y(x)']],
    ['is its initial value behind identities', `${variable('t', 'Identity(t:1)')}y = Relu(Identity(t:1))`, ['y(x)']],
    ['is that of an outer loop', `${variable('t', 't:1', 'Relu(x)')}y = Relu(t:1)`, ['y(mt/Relu)']],
    ['does not change places', `${variable('t', 'u:1')}${variable('u', 't:1')}y = Relu(t:1)`, []],
    ['is not computed', `${variable('t', 'Relu(t:1)')}y = Relu(t:1)`, []],
    ['is not split', `${variable('t', 'p:1')}p = Unpack(mt)[num=2]\ny = Relu(t:1)`, []],
  ])('%s', (_, text, changes) => {
    expect(lifted(COUNTER + text)).toEqual(changes);
  });
});

describe('the last value of a loop', () => {
  const last = (next: string, more = 'y = Exit(r)', counter = COUNTER) => `${counter}zero = Placeholder[shape=[?]]
rm = Merge(Enter(zero)[frame_name=loop], NextIteration(${next}))[N=2]
r = Switch(rm, go)
${more}`;
  const value = 'rm/Relu(x)';

  it.each<[string, string, string[]]>([
    ['is computed from the input', last('Relu(ex)'), [value, 'y = rm/Relu']],
    [
      'is computed from the input, behind identities',
      last('Relu(ex)', 'y = Identity(Exit(r))'),
      [value, 'y/Exit = rm/Relu'],
    ],
    ['is not that of the switch of a branch', last('Relu(ex)', 'b = Switch(rm, Less(i, 2))\ny = Exit(b)'), []],
    ['is not that of what only looks like a variable', last('Relu(ex)', 'b = Switch(Relu(rm), go)\ny = Exit(b)'), []],
    [
      'is not that of a merge without a way back',
      last('Relu(ex)', 'b = Switch(Merge(ex, ex)[N=2], go)\ny = Exit(b)'),
      [],
    ],
    ['is not that of the body', last('Relu(ex)', 'y = Exit(Relu(ex))'), []],
    ['is left if the loop may not run', last('Relu(ex)', undefined, COUNTER.replace('value=3', 'value=0')), []],
    [
      'is left if nobody knows whether the loop runs',
      last('Relu(ex)', undefined, COUNTER.replace('Enter(0)', 'Enter(start)')),
      [],
    ],
    [
      'is left if the number of iterations is an input',
      last(
        'Relu(ex)',
        undefined,
        COUNTER.replace('Const(^i)[value=3]', 'Enter(count)[frame_name=loop, is_constant=true]'),
      ),
      [],
    ],
    ['is left if it depends on the iteration', last('Mul(ex, Cast(pivot)[DstT=float32])'), []],
    ['is left if it is a sum', last('Add(ex, Identity(r:1))'), []],
    ['is left if it does not depend on the input', last('Relu(Enter(zero)[frame_name=loop, is_constant=true])'), []],
    ['is left if it is not itself an output', last('Relu(ex)', 'y = Relu(Exit(r))'), []],
  ])('%s', (_, text, changes) => {
    expect(lifted(text, ['x'])).toEqual(changes);
  });

  it('is left if the input does not come from a loop', () => {
    expect(lifted(last('Relu(ex)'), [])).toEqual([]);
    expect(lifted(last('Relu(ex)'), ['zero'])).toEqual([]);
  });
});
