import { describe, expect, it } from 'vitest';
import { missingValue, variableValue } from '../../../src/analysis/state/checkpoint_value.js';
import type { Variable } from '../../../src/analysis/state/variables.js';
import { BnfixError } from '../../../src/errors.js';
import { DataType } from '../../../src/graph/dtype.js';
import type { Checkpoint } from '../../../src/graph/model.js';
import { sliceText } from '../../../src/graph/slices.js';
import { numberTensor, type Tensor } from '../../../src/graph/tensor.js';
import { failure } from '../../support/failure.js';

const variable = (given: Partial<Variable>): Variable => ({
  node: 'v',
  kind: 'ref',
  dtype: DataType.DT_FLOAT,
  shape: [2, 3],
  key: 'k',
  slice: undefined,
  evidence: 'name',
  ...given,
});

const float = (...shape: number[]) =>
  numberTensor(DataType.DT_FLOAT, shape, new Array(shape.reduce((a, b) => a * b, 1)).fill(1));

/** A checkpoint of one tensor, which says what it was asked for. */
function checkpointOf(tensor: Tensor, part: Tensor = tensor): { checkpoint: Checkpoint; asked: string[] } {
  const asked: string[] = [];
  const checkpoint: Checkpoint = {
    name: 'model.ckpt',
    entries: new Map([['k', tensor]]),
    tensor: (key) => {
      asked.push(key);
      return tensor;
    },
    slice: (key, slice) => {
      asked.push(`${key} ${sliceText(slice)}`);
      return part;
    },
  };
  return { checkpoint, asked };
}

const CHECKPOINT = { option: 'checkpoint', value: 'PREFIX' };

describe('the value of a variable', () => {
  it.each<[string, Partial<Variable>]>([
    ['of its dtype and shape', {}],
    ['of a shape that is open', { shape: [-1, 3] }],
    ['of a shape that the graph does not say', { shape: undefined }],
  ])('is the tensor under its key: %s', (_, given) => {
    const tensor = float(2, 3);
    const { checkpoint, asked } = checkpointOf(tensor);
    expect(variableValue(variable(given), checkpoint)).toBe(tensor);
    expect(asked).toEqual(['k']);
  });

  it('is a part of the tensor where it is a part of a partitioned variable', () => {
    const slice = [
      { start: 2, length: 2 },
      { start: 0, length: -1 },
    ];
    const { checkpoint, asked } = checkpointOf(float(8, 3), float(2, 3));
    expect(variableValue(variable({ slice }), checkpoint).shape).toEqual([2, 3]);
    expect(asked).toEqual(['k 2,2:-']);
    const row = { key: 'v[1]', read: { node: 'r', port: 0 }, index: 1, of: [2, 3] };
    expect(variableValue(variable({ slice, row }), checkpoint).shape).toEqual([2, 3]);
  });

  it('is a row of the tensor where only that holds a statistic', () => {
    const row = { key: 'v[4]', read: { node: 'r', port: 0 }, of: [8, 3] };
    const { checkpoint, asked } = checkpointOf(float(8, 3), float(1, 3));
    expect(variableValue(variable({ shape: [3], row: { ...row, index: 4 } }), checkpoint).shape).toEqual([1, 3]);
    expect(asked).toEqual(['k', 'k 4,1:0,3']);
    expect(variableValue(variable({ shape: [3], row: { ...row, index: 7 } }), checkpoint).shape).toEqual([1, 3]);
    // Beyond the last row, and where the index is not known, there is only the whole.
    expect(variableValue(variable({ shape: [3], row: { ...row, index: 8 } }), checkpoint).shape).toEqual([8, 3]);
    expect(variableValue(variable({ shape: [3], row: { ...row, index: undefined } }), checkpoint).shape).toEqual([
      8, 3,
    ]);
    expect(
      failure(() => variableValue(variable({ shape: [3], row: { ...row, index: 4, of: [7, 3] } }), checkpoint)).why,
    ).toBe('shape [8,3] in the checkpoint, [7,3] in the graph');
  });

  it('is in the graph where it was frozen', () => {
    const value = float(4);
    expect(variableValue(variable({ value }), undefined)).toBe(value);
  });

  it.each<[string, Partial<Variable>, string]>([
    ['another dtype', { dtype: DataType.DT_INT32 }, 'float32 in the checkpoint, int32 in the graph'],
    ['another size', { shape: [2, 4] }, 'shape [2,3] in the checkpoint, [2,4] in the graph'],
    ['a size of 0', { shape: [2, 0] }, 'shape [2,3] in the checkpoint, [2,0] in the graph'],
    ['fewer dimensions', { shape: [2] }, 'shape [2,3] in the checkpoint, [2] in the graph'],
    ['more dimensions', { shape: [2, 3, -1] }, 'shape [2,3] in the checkpoint, [2,3,-1] in the graph'],
  ])('is refused with %s', (_, given, why) => {
    const error = failure(() => variableValue(variable(given), checkpointOf(float(2, 3)).checkpoint));
    expect(error).toMatchObject({
      code: 'statistics',
      message: 'the checkpoint does not belong to this graph: v differs',
      where: 'k in model.ckpt',
      why,
      fixes: [{ ...CHECKPOINT, text: 'names the checkpoint that was saved with this graph' }],
    });
  });

  it('is missing without a checkpoint, or without a key', () => {
    expect(failure(() => variableValue(variable({}), undefined))).toMatchObject({
      code: 'statistics',
      message: 'the value of v is needed, but no checkpoint was found',
      where: 'v',
      fixes: [{ ...CHECKPOINT, text: 'names it: the path without .index and .data-...' }],
    });
    const { checkpoint } = checkpointOf(float(2, 3));
    expect(failure(() => variableValue(variable({ key: undefined }), checkpoint))).toMatchObject({
      code: 'statistics',
      message: 'the checkpoint has no value for the variable v',
      where: 'v, model.ckpt',
      why: 'neither the restore ops of the graph nor its name match a key of this checkpoint',
      fixes: [
        { ...CHECKPOINT, text: 'names the checkpoint that was saved with this graph' },
        { option: 'outputs', value: 'NAMES', text: 'chooses outputs that do not depend on it' },
      ],
    });
  });
});

it('a missing value is data, any other error is thrown', () => {
  const error = new BnfixError('statistics', 'm', { where: 'w', why: 'y', fix: 'f' });
  expect(missingValue(error)).toMatchObject({ message: 'm', where: 'w', why: 'y', fixes: [{ text: 'f' }] });
  for (const other of [new BnfixError('unreadable', 'm'), new Error('m')]) {
    expect(() => missingValue(other)).toThrow(other);
  }
});
