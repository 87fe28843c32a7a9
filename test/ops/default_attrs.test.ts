import { describe, expect, it } from 'vitest';
import { type AttrValue, attr } from '../../src/graph/attrs.js';
import { defaultAttrs, explicitAttrs } from '../../src/ops/default_attrs.js';

describe('the default of an attr', () => {
  it.each<[string, string, AttrValue, number]>([
    ['StridedSlice', 'begin_mask', attr.int(0), 0],
    ['Conv2D', 'use_cudnn_on_gpu', attr.bool(true), 0],
    ['TensorArrayV3', 'dynamic_size', attr.bool(false), 0],
    ['Conv2D', 'data_format', attr.string('NHWC'), 0],
    // A comma and an empty text.
    ['DecodeCSV', 'field_delim', attr.string(','), 0],
    ['DecodeCSV', 'na_value', attr.string(''), 0],
    ['FusedBatchNormV3', 'epsilon', attr.float(Math.fround(0.0001)), 0],
    ['Conv2D', 'dilations', { list: { i: [1, 1, 1, 1] } }, 0],
    ['DecodeCSV', 'select_cols', { list: {} }, 0],
    ['Placeholder', 'shape', attr.shape(undefined), 0],
    ['MutableHashTableOfTensorsV2', 'value_shape', attr.shape([]), 0],
    ['Unique', 'out_idx', attr.type(3), 0],
    // TensorFlow registers an op with each kind of default, for its tests.
    ['DefaultAttrs', 'float_val', attr.float(10), 0],
    ['DefaultAttrs', 'int_list_val', { list: { i: [1, 2, 3] } }, 0],
    ['DefaultAttrs', 'type_list_val', { list: { type: [3, 1] } }, 0],
    ['DefaultAttrs', 'shape_val', attr.shape([2, 1]), 0],
    // Attrs that were added to the op.
    ['Conv2D', 'explicit_paddings', { list: {} }, 38],
    ['ResizeBilinear', 'half_pixel_centers', attr.bool(false), 38],
    ['FusedBatchNormV3', 'exponential_avg_factor', attr.float(1), 175],
  ])('%s, %s', (op, key, value, since) => {
    expect(defaultAttrs(op).get(key)).toEqual({ value, since });
  });

  it('is known for those that have one', () => {
    expect([...defaultAttrs('ResizeBilinear').keys()]).toEqual(['align_corners', 'half_pixel_centers']);
    expect([...defaultAttrs('AddV2').keys(), ...defaultAttrs('MyOp').keys()]).toEqual([]);
  });
});

describe('explicit attrs', () => {
  const isSame = (a: AttrValue, b: AttrValue) => JSON.stringify(a) === JSON.stringify(b);
  const [aligned, centred] = [{ align_corners: attr.bool(false) }, { half_pixel_centers: attr.bool(false) }];
  const other = { half_pixel_centers: attr.bool(true) };

  it.each([
    ['those as old as the op are added', {}, 100, aligned],
    ['others stay omitted, whatever the version', {}, 0, aligned],
    ['nothing changes if they are there', aligned, 100, undefined],
    ['newer ones go if they have their default', { ...aligned, ...centred }, 37, aligned],
    ['they stay if they have another value', { ...aligned, ...other }, 37, undefined],
    ['they stay from their version on', { ...aligned, ...centred }, 38, undefined],
    ['they stay if the version is unknown', { ...aligned, ...centred }, 0, undefined],
    ['both', centred, 37, aligned],
  ])('%s', (_, attrs, producer, expected) => {
    const given = structuredClone(attrs);
    expect(explicitAttrs('ResizeBilinear', attrs, producer, isSame)).toEqual(expected);
    expect(attrs).toEqual(given);
  });
});
