import { attr, attrInt } from '../../../graph/attrs.js';
import { DataType } from '../../../graph/dtype.js';
import type { TensorRef } from '../../../graph/node.js';
import type { Site } from './site.js';

/** A vector as the condition selects rows; TensorFlow.js broadcasts it along the last dimension. */
export function selectRows(site: Site): void {
  const [condition, a] = site.shapes;
  if (condition && condition.length !== 1) return;
  if (a && a.length < 2) return;
  if (!condition && !a) return;
  const sizes = [-1, ...new Array<number>(site.rank(1) - 1).fill(1)];
  if (!condition) throw site.refuse('whether its condition is a vector is unknown');
  const rows = site.add('Reshape', [site.input(0), site.ints(sizes)], { T: attr.type(DataType.DT_BOOL) });
  site.become('SelectV2', [rows, site.input(1), site.input(2)]);
}

/** Compares with all indices: TensorFlow.js ignores the axis, and its backend in WebAssembly outputs zeros. */
export function compareIndices(site: Site): void {
  const axis = attrInt(site.node, 'axis') ?? -1;
  const [indices, depth, on, off] = site.node.inputs as [TensorRef, TensorRef, TensorRef, TensorRef];
  const [zero, one] = [site.scalar(0, DataType.DT_INT32), site.scalar(1, DataType.DT_INT32)];
  const int32 = { T: attr.type(DataType.DT_INT32) };
  const range = site.add('Range', [zero, depth, one], { Tidx: attr.type(DataType.DT_INT32) });
  const places = axis === -1 ? 0 : site.rank(0) - axis;
  const sizes = site.ints([-1, ...new Array<number>(places).fill(1)]);
  const all = places === 0 ? range : site.add('Reshape', [range, sizes], int32);
  const expanded = site.add('ExpandDims', [indices, site.scalar(axis, DataType.DT_INT32)], int32);
  site.become('SelectV2', [site.add('Equal', [expanded, all], int32), on, off]);
}

/** Keeps some diagonals: TensorFlow.js picks others. A negative number of them means all. */
export function maskDiagonals(site: Site): void {
  const int32 = { T: attr.type(DataType.DT_INT32) };
  const number = (value: number) => site.scalar(value, DataType.DT_INT32);
  const bounds = [1, 2].map((i) => site.values[i]?.values[0]);
  const [lower, upper] = bounds;
  if (lower === undefined || upper === undefined) throw site.refuse('how many diagonals it keeps is no constant');
  const rank = site.rank(0);
  const shape = site.add('Shape', [site.input(0)], { out_type: attr.type(DataType.DT_INT32) });
  const upTo = (axis: number) => {
    const size = site.add('GatherV2', [shape, number(axis), number(0)], { batch_dims: attr.int(0) });
    return site.add('Range', [number(0), size, number(1)], { Tidx: attr.type(DataType.DT_INT32) });
  };
  const rows = site.add('Reshape', [upTo(rank - 2), site.ints([-1, 1])], int32);
  const below = site.add('Sub', [rows, upTo(rank - 1)], int32);
  const far = 2 ** 30;
  const mask = site.add('LogicalAnd', [
    site.add('LessEqual', [below, number(lower < 0 ? far : lower)], int32),
    site.add('GreaterEqual', [below, number(upper < 0 ? -far : -upper)], int32),
  ]);
  site.become('SelectV2', [mask, site.input(0), site.scalar(0)]);
}
