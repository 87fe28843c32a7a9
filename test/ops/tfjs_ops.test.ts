import { expect, it } from 'vitest';
import { attr } from '../../src/graph/attrs.js';
import { ignoredAttrs, isTfjsOp } from '../../src/ops/tfjs.js';
import { TFJS_OPS } from '../../src/ops/tfjs_ops.js';

it('the list is what the installed TensorFlow.js has', async () => {
  const { tfjsOpsModule } = await import('../../scripts/ops/tfjs_ops.mjs' as string);
  expect(tfjsOpsModule()).toContain(TFJS_OPS);
});

it('knows what TensorFlow.js runs', () => {
  expect(['Conv2D', 'FusedBatchNormV3', 'StatelessWhile', 'HashTableV2'].filter(isTfjsOp)).toHaveLength(4);
  // One has no mapper, the other one no executor.
  expect(['SpaceToDepth', 'TreeEnsembleSerialize'].filter(isTfjsOp)).toEqual([]);
});

it('finds attrs that would be ignored', () => {
  const pool = (data_format: string) =>
    ignoredAttrs({ op: 'MaxPool', attr: { data_format: attr.string(data_format) } });
  expect(pool('NHWC')).toEqual([]);
  expect(pool('NCHW')).toEqual(['data_format']);
  const dilated = (...i: number[]) => ignoredAttrs({ op: 'Conv2DBackpropInput', attr: { dilations: { list: { i } } } });
  expect(dilated(1, 1, 1, 1)).toEqual([]);
  expect(dilated(1, 2, 2, 1)).toEqual(['dilations']);
  expect(ignoredAttrs({ op: 'OneHot', attr: { axis: attr.int(-1) } })).toEqual([]);
  expect(ignoredAttrs({ op: 'OneHot', attr: { axis: attr.int(0) } })).toEqual(['axis']);
});
