import { expect, it } from 'vitest';
import { freeze } from '../../src/freezing/freeze.js';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { graphOf, node } from '../support/build.js';
import { modelOf } from '../support/model.js';

it('refuses an op that would take a constant for the variable that it was', () => {
  const int64 = { dtype: attr.type(DataType.DT_INT64), shape: attr.shape([3]) };
  const resource = { T: attr.type(DataType.DT_RESOURCE) };
  const graph = graphOf([
    node('state', 'VarHandleOp', [], int64),
    node('handed_on', 'Identity', ['state'], resource),
    node('numbers', 'RngReadAndSkip', ['handed_on', 'algorithm', 'delta']),
    node('algorithm', 'Const', [], { dtype: attr.type(DataType.DT_INT32) }),
    node('delta', 'Const', [], { dtype: attr.type(DataType.DT_UINT64) }),
  ]);
  expect(() => freeze(modelOf(graph), { outputs: ['numbers'] })).toThrow(
    expect.objectContaining({
      code: 'unsupported',
      where: 'numbers',
      message: 'numbers (RngReadAndSkip) takes the variable itself, not its value',
    }),
  );
});
