import Long from 'long';
import { describe, expect, it } from 'vitest';
import { DataType } from '../../../src/graph/dtype.js';
import type { Checkpoint } from '../../../src/graph/model.js';
import { numberTensor, stringTensor, type Tensor } from '../../../src/graph/tensor.js';
import { tensorflow } from '../../../src/proto/tensorflow.js';
import { count } from '../../../src/readers/checkpoint/checkpoint_errors.js';
import { readVarint } from '../../../src/readers/checkpoint/cursor.js';
import { OBJECT_GRAPH_KEY, objectKeys, readObjectGraph } from '../../../src/readers/checkpoint/object_graph.js';
import { failure } from '../../support/failure.js';

const FIX = 'the file is corrupt or truncated: copy or download all files of the checkpoint again, or save it again';

/** A checkpoint with this tensor as its object graph. */
function checkpointWith(tensor: Tensor): Checkpoint {
  const entries = new Map([[OBJECT_GRAPH_KEY, { dtype: tensor.dtype, shape: tensor.shape }]]);
  return { name: 'model', entries, tensor: () => tensor } as unknown as Checkpoint;
}

/** Each node has attributes with a full name and a key. */
function objectGraph(...nodes: (readonly (readonly [string, string])[])[]): Checkpoint {
  const bytes = tensorflow.TrackableObjectGraph.encode({
    nodes: nodes.map((attributes) => ({
      attributes: attributes.map(([full_name, checkpoint_key]) => ({ full_name, checkpoint_key })),
    })),
  }).finish();
  return checkpointWith(stringTensor([], [bytes]));
}

describe('keys of variables', () => {
  it('are those that the objects name', () => {
    const keys = objectKeys(objectGraph([['bn/gamma', 'layer/gamma/.VALUE']], [], [['w', 'w/.VALUE']]));
    expect([...keys!]).toEqual([
      ['bn/gamma', 'layer/gamma/.VALUE'],
      ['w', 'w/.VALUE'],
    ]);
  });

  it('are not those of names that several have, or that are not complete', () => {
    const twice = objectGraph([['w', 'a']], [['w', 'b']], [['w', 'c']], [['v', 'd']], [['', 'e']], [['u', '']]);
    expect([...objectKeys(twice)!]).toEqual([['v', 'd']]);
  });

  it('do not exist in a checkpoint of TF1', () => {
    const none = { name: 'model', entries: new Map(), tensor: () => expect.fail('it was read') };
    expect(objectKeys(none as unknown as Checkpoint)).toBeUndefined();
  });
});

it('an object graph that is none is refused', () => {
  const refused = (tensor: Tensor) => failure(() => readObjectGraph(checkpointWith(tensor)));
  expect(refused(numberTensor(DataType.DT_FLOAT, [], [1]))).toMatchObject({
    code: 'unreadable',
    message: 'the object graph of model is malformed',
    where: 'model',
    why: 'it is a float32 tensor',
    fix: FIX,
  });
  expect(refused(stringTensor([0], [])).why).toBe('it is an empty tensor');
  const malformed = refused(stringTensor([], [Uint8Array.of(255, 255)]));
  expect([malformed.message, malformed.why]).toEqual([
    'the object graph of model is malformed',
    (malformed.cause as Error).message,
  ]);
});

it('what counts something is a safe integer that is not negative', () => {
  const counted = (value: Parameters<typeof count>[2]) => count('a.index', 'its entry', value);
  expect([0, 7, Long.fromString('9007199254740991'), undefined, null].map(counted)).toEqual([
    0, 7, 9007199254740991, 0, 0,
  ]);
  for (const [value, text] of [
    [-1, '-1'],
    [0.5, '0.5'],
    [Long.fromString('9007199254740992'), '9007199254740992'],
  ] as const) {
    expect(failure(() => counted(value))).toMatchObject({
      code: 'unreadable',
      message: 'its entry is malformed',
      where: 'a.index',
      why: `${text} is not a valid size`,
      fix: FIX,
    });
  }
});

describe('a varint', () => {
  const read = (...bytes: number[]) => {
    const cursor = { file: 'a.index', what: 'a block', bytes: Uint8Array.from(bytes), at: 0, end: bytes.length };
    return [readVarint(cursor), cursor.at];
  };

  it('has seven bits a byte, the lowest first', () => {
    expect(read(0, 9)).toEqual([0, 1]);
    expect(read(0x7f)).toEqual([127, 1]);
    expect(read(0x80, 1)).toEqual([128, 2]);
    expect(read(0xac, 0x02, 9)).toEqual([300, 2]);
    expect(read(255, 255, 255, 255, 255, 255, 255, 15)).toEqual([2 ** 53 - 1, 8]);
  });

  it.each([
    ['longer than necessary', [0x80, 0], 'a number in it is longer than necessary'],
    ['not terminated', [0x80], 'a number in it is not terminated'],
    ['longer than 64 bits', Array.from({ length: 11 }, () => 0x81), 'a number in it is not terminated'],
    ['too large', [255, 255, 255, 255, 255, 255, 255, 31], '18014398509481984 is not a valid size'],
  ])('that is %s is refused', (_, bytes, why) => {
    expect(failure(() => read(...bytes))).toMatchObject({ message: 'a block is malformed', where: 'a.index', why });
  });
});
