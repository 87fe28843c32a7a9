import { describe, expect, it } from 'vitest';
import { allRows, anyOf, meaningOf, rolesOf, scalarOf } from '../../src/ops/meaning.js';
import { opInfo } from '../../src/ops/registry.js';

const names = allRows().flatMap(({ ops }) => ops.split(' '));

/** Ops that old files have and that the registered TensorFlows do not know; custom ops of other libraries. */
const NOT_REGISTERED = [
  '_BatchNormWithGlobalNormalization',
  'HorovodAllreduce',
  'HorovodBroadcast',
  'HorovodSize',
  'HorovodLocalSize',
];

describe('the table of ops', () => {
  it('names each op once', () => {
    expect(names.filter((op, index) => names.indexOf(op) !== index)).toEqual([]);
  });

  it("has TensorFlow's own names", () => {
    expect(names.filter((op) => opInfo(op) === undefined)).toEqual(NOT_REGISTERED);
  });

  it('names no role twice in a row', () => {
    const twice = allRows().filter(({ roles }) => new Set(roles).size !== roles.length);
    expect(twice.map(({ ops }) => ops)).toEqual([]);
  });
});

describe('roles', () => {
  it.each([
    ['ApplyAdam', ['update', 'optimizer', 'effect']],
    ['ResourceSparseApplyMomentum', ['update', 'optimizer', 'effect']],
    ['ResourceScatterNdUpdate', ['update', 'row_update', 'effect', 'row_set']],
    ['WriteScalarSummary', ['summary', 'effect']],
    ['QueueEnqueueManyV2', ['effect']],
    ['MaxPoolGradV2', ['gradient']],
    ['FakeQuantWithMinMaxArgsGradient', ['gradient']],
    ['DepthwiseConv2dNativeBackpropFilter', ['gradient']],
    ['TensorArrayReadV3', ['tensor_array']],
    ['QuantizedConv2DWithBiasAndRelu', ['weighted']],
  ])('%s has those of its family', (op, roles) => {
    expect(rolesOf(op)).toEqual(roles);
  });

  it.each(['StopGradient', 'PreventGradient', 'ScatterNd', 'QueueDequeueV2', 'MyOp', 'constructor'])(
    '%s is of no family that its name only resembles',
    (op) => {
      expect(anyOf('gradient', 'effect')({ op })).toBe(false);
    },
  );

  it('are none for no node and for ops that are not known', () => {
    expect(anyOf('identity')(undefined)).toBe(false);
    expect(rolesOf('MyOp')).toEqual([]);
    expect(meaningOf('MyOp')).toBeUndefined();
  });
});

describe('scalar functions', () => {
  const of = (op: string, ...inputs: number[]) => scalarOf(op)!(...inputs);

  it.each([
    ['Div', [7, 2], 3.5],
    ['FloorDiv', [-7, 2], -4],
    ['TruncateDiv', [-7, 2], -3],
    ['FloorMod', [-7, 3], 2],
    ['TruncateMod', [-7, 3], -1],
    ['DivNoNan', [1, 0], 0],
    ['Xdivy', [0, 0], 0],
    ['MulNoNan', [Number.POSITIVE_INFINITY, 0], 0],
    ['Round', [2.5], 2],
    ['Rint', [3.5], 4],
    ['Round', [-0.5], -0],
    ['ClipByValue', [5, 0, 3], 3],
    ['AddN', [1, 2, 3], 6],
    ['Select', [1, 5, 6], 5],
    ['SelectV2', [0, 5, 6], 6],
    ['Softplus', [0], Math.LN2],
  ] as const)('%s%j is %d', (op, inputs, result) => {
    expect(of(op, ...inputs)).toBeCloseTo(result, 12);
  });

  it('say that they do not know what depends on an unknown number', () => {
    for (const op of ['Add', 'Mul', 'Maximum', 'Relu', 'Greater', 'Equal', 'LogicalNot', 'Floor', 'Select']) {
      expect(of(op, Number.NaN, 1, 2), op).toBeNaN();
    }
  });

  it('know what an unknown number does not change', () => {
    expect(of('LogicalAnd', Number.NaN, 0)).toBe(0);
    expect(of('LogicalOr', 1, Number.NaN)).toBe(1);
    expect(of('Select', Number.NaN, 3, 3)).toBe(3);
    expect(of('ZerosLike', Number.NaN)).toBe(0);
    expect(of('MulNoNan', Number.NaN, 0)).toBe(0);
  });
});
