import { describe, expect, it } from 'vitest';
import { meaningOf, rolesOf } from '../../src/ops/meaning.js';
import { OP_TABLE } from '../../src/ops/op_table.js';

const names = OP_TABLE.trim()
  .split('\n')
  .map((line) => /^[\w>]+/.exec(line)![0]);
const registered = new Set(names);

/** Twins that TensorFlow's names do not show. */
const BY_NAME: readonly (readonly [string, string])[] = [
  ['Add', 'AddV2'],
  ['Div', 'RealDiv'],
  ['Inv', 'Reciprocal'],
  ['Round', 'Rint'],
  ['AddN', 'AccumulateNV2'],
  ['RandomStandardNormal', 'StatelessRandomNormalV2'],
  ['StopGradient', 'PreventGradient'],
  ['AssignAdd', 'AssignAddVariableOp'],
  ['AssignSub', 'AssignSubVariableOp'],
  ['Assign', 'AssignVariableOp'],
];

/** Twins that differ, and in what. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'Concat ConcatV2': 'the axis is another input',
  'Gather GatherV2': 'an axis is given',
  'Select SelectV2': 'V2 broadcasts',
  'MaxPool MaxPoolV2': 'window and strides are inputs',
  'Placeholder PlaceholderV2': 'an empty shape of V1 may mean that it is unknown',
  'Conv2DBackpropInput Conv2DBackpropInputV2': 'input 0 is a shape, of V2 a tensor of that shape',
  'Conv3DBackpropInput Conv3DBackpropInputV2': 'input 0 is a tensor of the shape, of V2 a shape',
  'StatefulStandardNormal StatefulStandardNormalV2': 'V2 takes an algorithm before the shape',
  'Gather ResourceGather': 'a handle, not a tensor',
  'GatherNd ResourceGatherNd': 'a handle, not a tensor',
  'Select RefSelect': 'an index chooses among any number of inputs',
  'RandomStandardNormal StatefulStandardNormal': 'a handle comes before the shape',
  'RandomStandardNormal StatefulStandardNormalV2': 'a handle and an algorithm come before the shape',
  'TruncatedNormal StatefulTruncatedNormal': 'a handle and an algorithm come before the shape',
  'RandomUniform StatefulUniform': 'a handle and an algorithm come before the shape',
  'RandomUniformInt StatefulUniformInt': 'a handle and an algorithm come before the shape',
  'Print PrintV2': 'V2 outputs nothing',
  'RandomPoisson StatelessRandomPoisson': 'the shape given is that of the whole output',
  'RandomGamma StatelessRandomGammaV2': 'the shape given is that of the whole output',
  'RandomGamma StatelessRandomGammaV3': 'the shape given is that of the whole output',
};

/** The op that another is a version of, by TensorFlow's rules of naming. */
function olderNames(op: string): string[] {
  const plain = [
    op.replace(/V[23]$/, ''),
    op.replace(/V3$/, 'V2'),
    op.replace(/^Ref/, ''),
    op.replace(/^Resource/, ''),
    op.replace(/^State(less|ful)/, ''),
    op.replace(/^State(less|ful)(.*)V[23]$/, '$2'),
    op.replace(/^State(less|ful)(Random)?/, 'Random'),
  ];
  return [...new Set(plain)].filter((name) => name !== op && registered.has(name));
}

const twins = [...names.flatMap((op) => olderNames(op).map((older) => [older, op] as const)), ...BY_NAME];

describe('ops that differ by version, reference, handle or seed alone', () => {
  it('are many', () => {
    expect(twins.length).toBeGreaterThan(150);
  });

  it.each(twins.filter(([a, b]) => !(`${a} ${b}` in EXCEPTIONS)))('%s and %s mean the same', (a, b) => {
    expect(rolesOf(b)).toEqual(rolesOf(a));
    expect(meaningOf(b)?.scalar).toBe(meaningOf(a)?.scalar);
    expect(meaningOf(b)?.shape).toBe(meaningOf(a)?.shape);
  });

  it.each(Object.keys(EXCEPTIONS))('%s are registered', (pair) => {
    expect(pair.split(' ').filter((op) => !registered.has(op))).toEqual([]);
  });

  it.each(Object.keys(EXCEPTIONS).filter((pair) => !/Resource|RefSelect|Print/.test(pair)))(
    '%s have equal roles',
    (pair) => {
      const [a, b] = pair.split(' ') as [string, string];
      expect(rolesOf(b)).toEqual(rolesOf(a));
    },
  );
});
