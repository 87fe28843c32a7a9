import { describe, expect, it } from 'vitest';
import { findVariables } from '../../../src/analysis/state/variables.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';
import { checkpointOf } from '../../support/text_cases.js';

interface Given {
  readonly checkpoint?: Parameters<typeof checkpointOf>[0];
  readonly restoreOp?: string;
  readonly objectKeys?: Readonly<Record<string, string>>;
}

function variablesOf(text: string, { checkpoint, restoreOp, objectKeys }: Given = {}) {
  const graph = parseGraph(text);
  return findVariables({
    ...modelOf(graph, checkpointOf(checkpoint, graph)),
    metaGraphDef: restoreOp === undefined ? {} : { saver_def: { restore_op_name: restoreOp } },
    objectKeys: objectKeys && new Map(Object.entries(objectKeys)),
  });
}

/** Variable: key by evidence. */
const keysOf = (text: string, given?: Given) =>
  [...variablesOf(text, given).byNode.values()].map(({ node, key, evidence }) => `${node}: ${key} by ${evidence}`);

const RESTORE = 'r = RestoreV2("model", ["k", "l"], ["", ""])[dtypes=[float32, float32]]';
const BOTH = { k: [1, 2], l: [3, 4] };

describe('the key of a variable', () => {
  it.each([
    ['an Assign', 'Assign(w, r)'],
    ['an AssignVariableOp', 'AssignVariableOp(h, Identity(r))'],
    ['casts and reshapes', 'Assign(w, Cast(Reshape(Identity(r), [2]))[DstT=float32, SrcT=float32])'],
    ['a reference', 'Assign(Identity(w), r)'],
  ])('is what a restore op loads into it: by %s', (_, assign) => {
    const keys = keysOf(`w = VariableV2[shape=[2]]\nh = VarHandleOp[shape=[2]]\n${RESTORE}\n${assign}`, {
      checkpoint: BOTH,
    });
    expect(keys.filter((line) => line.includes('restore'))).toHaveLength(1);
    expect(keys.find((line) => line.includes('restore'))).toContain(': k by restore op');
  });

  it('is that of the port', () => {
    expect(keysOf(`w = VariableV2[shape=[2]]\n${RESTORE}\nAssign(w, r:1)`, { checkpoint: BOTH })).toEqual([
      'w: l by restore op',
    ]);
  });

  it('is known without a checkpoint, but not one that the checkpoint has not', () => {
    const text = `w = VariableV2[shape=[2]]\n${RESTORE}\nAssign(w, r)`;
    expect(keysOf(text)).toEqual(['w: k by restore op']);
    expect(keysOf(text, { checkpoint: { other: 1 } })).toEqual(['w: undefined by none']);
    expect(keysOf(text, { checkpoint: { other: 1, w: [1, 2] } })).toEqual(['w: w by name']);
  });

  it('is not that of an AssignAdd, of an op that computes, nor of names that are not constant', () => {
    const given = { checkpoint: { ...BOTH, w: [0, 0] } };
    for (const more of ['AssignAdd(w, r)', 'Assign(w, Relu(r))', 'Assign(w, Add(r, r:1))']) {
      expect(keysOf(`w = VariableV2[shape=[2]]\n${RESTORE}\n${more}`, given), more).toEqual(['w: w by name']);
    }
    const fed =
      'names = Placeholder[string, shape=[1]]\nr = RestoreV2("model", names, [""])[dtypes=[float32]]\nAssign(w, r)';
    expect(keysOf(`w = VariableV2[shape=[2]]\n${fed}`, given)).toEqual(['w: w by name']);
    const numbers = 'r = RestoreV2("model", [1.0], [""])[dtypes=[float32]]\nAssign(w, r)';
    expect(keysOf(`w = VariableV2[shape=[2]]\n${numbers}`, given)).toEqual(['w: w by name']);
  });

  it('is that of the saver which the MetaGraphDef names, whatever the order', () => {
    const saver = (name: string, key: string) => `${name}/r = RestoreV2("model", ["${key}"], [""])[dtypes=[float32]]
${name}/a = Assign(w, ${name}/r)
${name}/group = NoOp(^${name}/a)
${name}/all = NoOp(^${name}/group)`;
    const text = `w = VariableV2[shape=[2]]\n${saver('one', 'k')}\n${saver('two', 'l')}`;
    const checkpoint = BOTH;
    expect(keysOf(text, { checkpoint })).toEqual(['w: k by restore op']);
    expect(keysOf(text, { checkpoint, restoreOp: 'one/all' })).toEqual(['w: k by restore op']);
    expect(keysOf(text, { checkpoint, restoreOp: 'two/all' })).toEqual(['w: l by restore op']);
    expect(keysOf(text, { checkpoint, restoreOp: 'two/all:0' })).toEqual(['w: l by restore op']);
    expect(keysOf(text, { checkpoint, restoreOp: 'none/all' })).toEqual(['w: k by restore op']);
  });

  it('is its shared_name, its name, or what the object graph says of either', () => {
    const handle = 'h = VarHandleOp[shape=[2], shared_name="shared"]';
    expect(keysOf(handle, { checkpoint: { shared: [1, 2], h: [3, 4] } })).toEqual(['h: shared by name']);
    expect(keysOf(handle, { checkpoint: { h: [3, 4] } })).toEqual(['h: h by name']);
    expect(keysOf('h = VarHandleOp[shape=[2], shared_name=""]', { checkpoint: { h: [3, 4], '': [1, 2] } })).toEqual([
      'h: h by name',
    ]);
    const checkpoint = { 'model/h/.ATTRIBUTES/VARIABLE_VALUE': [1, 2] };
    for (const name of ['shared', 'h']) {
      const objectKeys = { [name]: 'model/h/.ATTRIBUTES/VARIABLE_VALUE' };
      expect(keysOf(handle, { checkpoint, objectKeys })).toEqual(['h: model/h/.ATTRIBUTES/VARIABLE_VALUE by name']);
    }
    expect(keysOf(handle, { checkpoint, objectKeys: { h: 'lost' } })).toEqual(['h: undefined by none']);
  });

  it('has the part of a partitioned variable', () => {
    const text = `w = VariableV2[shape=[2]]
r = RestoreV2("model", ["k"], ["4 0,2"])[dtypes=[float32]]
Assign(w, r)`;
    expect(variablesOf(text).byNode.get('w')!.slice).toEqual([{ start: 0, length: 2 }]);
    expect(variablesOf(text.replace('["4 0,2"]', 'x')).byNode.get('w')!.slice).toBeUndefined();
  });
});

describe('the variable that a tensor reads', () => {
  const TEXT = `x = Placeholder[shape=[2]]
w = VariableV2[shape=[2]]
h = VarHandleOp[shape=[2]]
c = Placeholder[bool, shape=[]]
frozen = [1.0, 2.0]
number = Const[float32, value=1]
whole = Const[int32, value=[1, 2]]
mixed = [3.0, 4.0]
unread = [5.0, 6.0]
kept = Identity(frozen)
a = Identity(mixed)
b = Relu(mixed)
e = Identity(number)
f = Identity(whole)
s = RefSwitch(w, c)
read = ReadVariableOp(Identity(h))
moved = Enter(read)[frame_name=loop]
y = Relu(read)`;
  const variables = variablesOf(TEXT);
  const nameOf = (name: string, port = 0) => variables.readBy({ node: name, port })?.node;

  it('is that of a reference, or of a read of a handle, wherever it went', () => {
    expect(['w', 's', 'read', 'moved', 'h', 'x', 'y', 'kept', 'nothing'].map((name) => nameOf(name))).toEqual([
      'w',
      'w',
      'h',
      'h',
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(nameOf('s', 1)).toBe('w');
    expect(variables.ofHandle({ node: 'h', port: 0 })?.node).toBe('h');
    expect(variables.ofHandle({ node: 'x', port: 0 })).toBeUndefined();
  });

  it('is a constant where the graph was frozen in part: a vector of floats that only identities read', () => {
    const valueAt = (name: string) => variables.valueAt({ node: name, port: 0 })?.node;
    expect(['kept', 'frozen', 'a', 'e', 'f', 'unread', 'w', 'x'].map(valueAt)).toEqual([
      'frozen',
      'frozen',
      undefined,
      undefined,
      undefined,
      undefined,
      'w',
      undefined,
    ]);
    expect(['w', 'frozen', 'mixed', 'x'].map((name) => variables.named(name)?.node)).toEqual([
      'w',
      'frozen',
      undefined,
      undefined,
    ]);
  });

  it('is any vector of floats where the graph has no variables', () => {
    const all = variablesOf('m = [1.0, 2.0]\nn = Const[int32, value=[1, 2]]\ns = Const[float32, value=1]\ny = Relu(m)');
    expect(['m', 'n', 's', 'y'].map((name) => all.named(name)?.node)).toEqual(['m', undefined, undefined, undefined]);
    expect(all.named('m')).toMatchObject({ kind: 'ref', key: undefined, evidence: 'none', shape: [2] });
  });
});
