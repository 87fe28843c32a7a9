import { describe, expect, it } from 'vitest';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import {
  countAttrs,
  hasOutput,
  inputCount,
  makesHandle,
  outputCount,
  outputRange,
  outputType,
  outputTypeOrT,
} from '../../src/ops/registry.js';

const { DT_FLOAT, DT_INT32, DT_INT64, DT_HALF, DT_STRING, DT_INVALID, DT_BOOL } = DataType;
const types = (...type: DataType[]) => ({ list: { type } });
const half = attr.type(DT_HALF);

const relu = { op: 'Relu', attr: { T: half } };
const split = { op: 'Split', attr: { T: half, num_split: attr.int(3) } };
const identityN = { op: 'IdentityN', attr: { T: types(DT_FLOAT, DT_INT32) } };
const unique = { op: 'Unique', attr: { T: half, out_idx: attr.type(DT_INT64) } };
const custom = { op: 'MyOp', attr: { T: half } };

describe('the outputs of an op', () => {
  it.each([
    ['one', relu, 1],
    ['one for each piece', split, 3],
    ['one for each type', identityN, 2],
    ['two of different types', unique, 2],
    ['none', { op: 'NoOp', attr: {} }, 0],
    ['one, if the attr is missing that says how many', { op: 'Split', attr: {} }, 1],
    ['none, if the types are missing', { op: 'IdentityN', attr: {} }, 0],
    ['any number, of a custom op', custom, undefined],
  ])('are %s', (_, node, count) => {
    expect(outputCount(node)).toBe(count);
    expect(hasOutput(node, (count ?? 1000) - 1)).toBe(count !== 0);
    expect(hasOutput(node, count ?? 1000)).toBe(count === undefined);
    expect(hasOutput(node, -1)).toBe(false);
  });

  it.each([
    [relu, 0, DT_HALF],
    [relu, 1, undefined],
    [split, 2, DT_HALF],
    [split, 3, undefined],
    [identityN, 0, DT_FLOAT],
    [identityN, 1, DT_INT32],
    [identityN, 2, undefined],
    [unique, 0, DT_HALF],
    [unique, 1, DT_INT64],
    // The default of the attr, and one that has none.
    [{ op: 'Unique', attr: {} }, 1, DT_INT32],
    [{ op: 'Relu', attr: {} }, 0, DT_INVALID],
    [{ op: 'Greater', attr: { T: half } }, 0, DT_BOOL],
    // References are of the type that they refer to.
    [{ op: 'VariableV2', attr: { dtype: half } }, 0, DT_HALF],
    [{ op: 'FIFOQueue', attr: {} }, 0, DT_STRING],
    [custom, 0, undefined],
  ])('have their types: %j, output %d', (node, port, type) => {
    expect(outputType(node, port)).toBe(type);
  });

  it('have the T of a custom op, if it has one', () => {
    expect(outputTypeOrT(custom, 0)).toBe(DT_HALF);
    expect(outputTypeOrT({ op: 'MyOp', attr: {} }, 0)).toBe(DT_INVALID);
    expect(outputTypeOrT(unique, 1)).toBe(DT_INT64);
  });

  it('have names, each for one port or several', () => {
    expect(outputRange(unique, 'idx')).toEqual({ port: 1, count: 1 });
    expect(outputRange(split, 'output')).toEqual({ port: 0, count: 3 });
    const sparse = {
      op: 'ParseExample',
      attr: { Nsparse: attr.int(2), sparse_types: types(DT_FLOAT, DT_FLOAT), Tdense: types(DT_INT64) },
    };
    expect(outputRange(sparse, 'sparse_values')).toEqual({ port: 2, count: 2 });
    expect(outputRange(sparse, 'dense_values')).toEqual({ port: 6, count: 1 });
    expect(outputType(sparse, 6)).toBe(DT_INT64);
    expect(outputRange(unique, 'z')).toBeUndefined();
    expect(outputRange(custom, 'y')).toBeUndefined();
  });

  it.each([
    ['VarHandleOp', 0, true],
    ['FIFOQueueV2', 0, true],
    ['FIFOQueue', 0, true],
    ['HashTable', 0, true],
    ['VarHandleOp', 1, false],
    ['VariableV2', 0, false],
    // A string, and a resource that only passes through.
    ['ReadFile', 0, false],
    ['Identity', 0, false],
    ['MyOp', 0, false],
  ])('may be handles: of %s, output %d', (op, port, isHandle) => {
    expect(makesHandle(op, port)).toBe(isHandle);
  });
});

describe('the inputs of an op', () => {
  it.each([
    ['two', { op: 'AddV2', attr: {} }, 2],
    ['none', { op: 'NoOp', attr: {} }, 0],
    ['as many as an attr says', { op: 'AddN', attr: { N: attr.int(4) } }, 4],
    ['one more than an attr says', { op: 'ConcatV2', attr: { N: attr.int(4) } }, 5],
    ['as many as types', { op: 'IdentityN', attr: { T: types(DT_FLOAT, DT_FLOAT) } }, 2],
    ['unknown, if the attr is missing', { op: 'ConcatV2', attr: {} }, Number.NaN],
    ['unknown, if the types are missing', { op: 'IdentityN', attr: {} }, Number.NaN],
    ['any number, of a custom op', custom, undefined],
  ])('are %s', (_, node, count) => {
    expect(inputCount(node)).toBe(count);
  });

  it.each([
    ['AddN', ['N']],
    ['Split', ['num_split']],
    // It says both.
    ['ShapeN', ['N']],
    ['Relu', []],
    ['MyOp', []],
  ])('and outputs of %s are counted by %j', (op, attrs) => {
    expect(countAttrs(op)).toEqual(attrs);
  });
});
