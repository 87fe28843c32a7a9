import { describe, expect, it } from 'vitest';
import { Rows } from '../../../src/analysis/state/rows.js';
import { findVariables } from '../../../src/analysis/state/variables.js';
import { Shapes } from '../../../src/analysis/values/shapes.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';

const TABLE = 'v = VariableV2[shape=[5, 4]]\nh = VarHandleOp[shape=[5, 4]]\nr = ReadVariableOp(h)\n';

function rowsOf(text: string) {
  const graph = parseGraph(TABLE + text);
  return { graph, rows: new Rows(graph, findVariables(modelOf(graph)), new Shapes(graph)) };
}

/** The key of the tensor `y`. */
function keyOf(op: string): string | undefined {
  const { rows } = rowsOf(
    `i = Sum(Placeholder[int32, shape=[3]], [0])\none = Placeholder[int32, shape=[1]]\ny = ${op}`,
  );
  return rows.keyOf({ node: 'y', port: 0 });
}

describe('the row that a tensor reads', () => {
  it.each([
    ['Gather(v, 2)', 'v[2]'],
    ['Gather(v, [2])', 'v[2]'],
    ['GatherV2(v, 3, 0)', 'v[3]'],
    ['GatherV2(r, 3, 0)', 'h[3]'],
    ['ResourceGather(h, 1)[batch_dims=0, dtype=float32]', 'h[1]'],
    ['Gather(v, i)', 'v[i]'],
    ['Gather(v, one)', 'v[one]'],
    ['Gather(v, Identity(Reshape(i, [1])))', 'v[i]'],
    ['Gather(v, Pack(i))', 'v[i]'],
    ['StridedSlice(v, [1], [2], [1])', 'v[1]'],
    ['StridedSlice(v, [1], [2], [1])[shrink_axis_mask=1]', 'v[1]'],
    ['StridedSlice(v, [1], [0], [1])[shrink_axis_mask=1]', 'v[1]'],
    ['StridedSlice(v, [1, 0], [2, 0], [1, 1])[begin_mask=2, end_mask=2, shrink_axis_mask=1]', 'v[1]'],
    ['StridedSlice(v, [1, 0], [2, 0], [1, 1])[ellipsis_mask=2, shrink_axis_mask=1]', 'v[1]'],
    ['StridedSlice(v, Pack(i), Pack(i), [1])[shrink_axis_mask=1]', 'v[i]'],
  ])('%s', (op, key) => {
    expect(keyOf(op)).toBe(key);
  });

  it.each([
    ['several rows', 'Gather(v, [1, 2])'],
    ['as many as are fed', 'Gather(v, Placeholder[int32, shape=[?]])'],
    ['as many as are unknown', 'Gather(v, Placeholder[int32])'],
    ['two of them', 'Gather(v, Placeholder[int32, shape=[2]])'],
    ['columns', 'GatherV2(v, 3, 1)'],
    ['along an axis that is fed', 'GatherV2(v, 3, i)'],
    ['rows for each of a batch', 'GatherV2(v, [3], 0)[batch_dims=1]'],
    ['rows of what is no variable', 'Gather(x, 2)'],
    ['rows of another op', 'Relu(v)'],
    ['the whole variable', 'Identity(v)'],
    ['two rows', 'StridedSlice(v, [1], [3], [1])'],
    ['all rows from one on', 'StridedSlice(v, [1], [2], [1])[end_mask=1]'],
    ['all rows up to one', 'StridedSlice(v, [1], [2], [1])[begin_mask=1]'],
    ['every second row', 'StridedSlice(v, [1], [2], [2])[shrink_axis_mask=1]'],
    ['a row with a new dimension', 'StridedSlice(v, [1], [2], [1])[new_axis_mask=1, shrink_axis_mask=1]'],
    ['a part of a row', 'StridedSlice(v, [1, 0], [2, 3], [1, 1])[shrink_axis_mask=1]'],
    ['a part from the beginning', 'StridedSlice(v, [1, 0], [2, 3], [1, 1])[begin_mask=2, shrink_axis_mask=1]'],
    ['a part to the end', 'StridedSlice(v, [1, 1], [2, 0], [1, 1])[end_mask=2, shrink_axis_mask=1]'],
    ['one element', 'StridedSlice(v, [1, 1], [2, 2], [1, 1])[begin_mask=2, end_mask=2, shrink_axis_mask=3]'],
    ['a column', 'StridedSlice(v, [0, 1], [0, 2], [1, 1])[ellipsis_mask=1, shrink_axis_mask=2]'],
    ['an index of two numbers', 'StridedSlice(v, Pack(i, i), Pack(i, i), [1, 1])[ellipsis_mask=2, shrink_axis_mask=1]'],
    ['from where is not known', 'StridedSlice(v, x, x, [1])[shrink_axis_mask=1]'],
  ])('is unknown: %s', (_, op) => {
    expect(keyOf(op)).toBeUndefined();
  });

  it('is none for an op without inputs, or that does not exist', () => {
    expect(keyOf('Placeholder[shape=[2]]')).toBeUndefined();
    expect(rowsOf('').rows.keyOf({ node: 'nothing', port: 0 })).toBeUndefined();
  });
});

describe('the row that an op updates', () => {
  const updated = (text: string) => {
    const { graph, rows } = rowsOf(`m = Mean(x, [0])\ni = Sum(Placeholder[int32, shape=[3]], [0])\n${text}`);
    return rows.updatedBy(graph.get('u'));
  };

  it('is a variable with the shape of what reads it', () => {
    const { node, shape, row } = updated('u = ScatterSub(v, [2], (Gather(v, [2]) - m) * 0.1)')!;
    expect({ node, shape }).toEqual({ node: 'v', shape: [1, 4] });
    expect(row).toMatchObject({ key: 'v[2]', index: 2, of: [5, 4] });
  });

  it('has no number where its index is computed', () => {
    const { shape, row } = updated('u = ScatterSub(v, i, (Gather(v, i) - m) * 0.1)')!;
    expect(shape).toEqual([4]);
    expect(row).toMatchObject({ key: 'v[i]', index: undefined });
  });

  it.each([
    ['reads another row', 'u = ScatterSub(v, 2, (Gather(v, 1) - m) * 0.1)'],
    ['reads no row', 'u = ScatterSub(v, 2, m)'],
    ['updates the whole', 'u = AssignSub(v, (v - m) * 0.1)'],
    ['updates what is no variable', 'u = ScatterSub(x, 2, (Gather(v, 2) - m) * 0.1)'],
    ['updates several rows', 'u = ScatterSub(v, [1, 2], (Gather(v, [1, 2]) - m) * 0.1)'],
    ['reads the row through another op', 'u = ScatterSub(v, 2, MatMul(Gather(v, 2), x))'],
  ])('is none where the value %s', (_, text) => {
    expect(updated(text)).toBeUndefined();
  });

  it.each([
    ['a constant', '2', true],
    ['an input of the net', 'i', true],
    ['computed from inputs and shapes', 'Add(StridedSlice(Shape(x), [0], [1], [1])[shrink_axis_mask=1], i)', true],
    ['read from a variable', 'k', false],
    ['computed from a variable', 'Add(k, i)', false],
    ['computed by another op', 'Cast(ArgMax(x, 0)[output_type=int32])[DstT=int32, SrcT=int32]', false],
    ['what an op without inputs outputs', 'Add(Custom, i)', false],
  ])('has an index that inference knows or not: %s', (_, index, isKnown) => {
    const { graph, rows } = rowsOf(`i = Placeholder[int32, shape=[1]]
k = VariableV2[dtype=int32, shape=[]]
Custom = RandomPoisson[shape=[]]
m = Mean(x, [0])
index = Reshape(${index}, [1])
u = ScatterSub(v, index, (Gather(v, index) - m) * 0.1)`);
    const row = rows.updatedBy(graph.get('u'))?.row;
    expect(row && rows.isKnown(row)).toBe(isKnown);
  });
});
