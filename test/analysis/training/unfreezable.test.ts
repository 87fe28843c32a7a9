import { describe, expect, it } from 'vitest';
import { findUnfreezable } from '../../../src/analysis/training/unfreezable.js';
import { ancestors } from '../../../src/graph/walk.js';
import { dataText } from '../../support/data_text.js';
import { parseWithFunctions } from '../../support/parse_functions.js';

/** What the node y needs that a frozen graph cannot have. */
function unfreezableIn(text: string): string[] {
  const graph = parseWithFunctions(text);
  return findUnfreezable(graph, ancestors(graph, ['y'], false)).map(dataText);
}

const GIVEN = `x = Placeholder[shape=[?, 2]]
v = VarHandleOp[shape=[2]]
table = HashTableV2[key_dtype=int64, value_dtype=float32]
`;

describe('what a frozen graph cannot have', () => {
  it.each([
    ['a value after an update', 'u = VariableV2[shape=[2]]\ny = AssignAdd(u, [1.0, 1.0])', 'updated_in_use', 'y'],
    ['whether a variable has a value', 'y = VarIsInitializedOp(v)', 'updated_in_use', 'y'],
    ['a reader of the handle', 'y = RngReadAndSkip(v, 1, 1)', 'unknown_reader', 'y'],
    ['one behind an Identity', 'h = Identity(v)\nu = RngReadAndSkip(h, 1, 1)\ny = Identity(u)', 'unknown_reader', 'u'],
    [
      'a call with another resource',
      'y = PartitionedCall(table, x)[Tin=[resource, float32], Tout=[float32], f=@f]',
      'unknown_reader',
      'y',
    ],
    ['a loop over one', 'y = While(table, x)[T=[resource, float32], cond=@c, body=@b]', 'unknown_reader', 'y'],
  ])('%s', (_, text, code, node) => {
    expect(unfreezableIn(GIVEN + text)).toEqual([expect.stringMatching(`^${code}\\(node: ${node}, `)]);
  });

  it.each([
    ['reads of a variable', 'y = ReadVariableOp(Identity(v))'],
    ['rows of one', 'y = ResourceGather(v, [0, 1])'],
    ['a call of tensors', 'y = PartitionedCall(x)[Tin=[float32], Tout=[float32], f=@f]'],
    ['an If of tensors', 'y = If(true, x)[Tcond=bool, Tin=[float32], Tout=[float32]]'],
    ['a reader that no output needs', 'y = Relu(x)\nz = VarIsInitializedOp(v)'],
  ])('is not %s', (_, text) => expect(unfreezableIn(GIVEN + text)).toEqual([]));

  it.each([
    [
      'FusedBatchNormV3(x, [1.0, 1.0], [0.0, 0.0], [], [])',
      'training_in_function(node: t, op: FusedBatchNormV3, function: f)',
    ],
    [
      'FusedBatchNormV3(x, [1.0, 1.0], [0.0, 0.0], [], [])[is_training=true]',
      'training_in_function(node: t, op: FusedBatchNormV3, function: f)',
    ],
    ['RandomUniform([2])', 'training_in_function(node: t, op: RandomUniform, function: f)'],
  ])('a function with %s', (op, problem) => {
    const text = `def f(x):\n  t = ${op}\n  return t\n\n`;
    expect(unfreezableIn(`${text}${GIVEN}y = PartitionedCall(x)[Tin=[float32], Tout=[float32], f=@f]`)).toEqual([
      problem,
    ]);
  });

  it.each(['FusedBatchNormV3(x, [1.0, 1.0], [0.0, 0.0], [], [])[is_training=false]', 'Relu(x)'])(
    'is not a function with %s',
    (op) => {
      const text = `def f(x):\n  t = ${op}\n  return t\n\n`;
      expect(unfreezableIn(`${text}${GIVEN}y = PartitionedCall(x)[Tin=[float32], Tout=[float32], f=@f]`)).toEqual([]);
    },
  );
});
