import { attrInt } from '../../graph/attrs.js';
import { ints, isRank, type ShapeRule, sizeOf, UNKNOWN, unknownSizes } from './rule.js';

/** Slice(x, begin, size): a size of -1 means the rest. */
export const slice: ShapeRule = (context) => {
  const x = context.shape(0);
  const [begin, sizes] = [ints(context, 1), ints(context, 2)];
  if (!x || sizes?.length !== x.length) return x && unknownSizes(x.length);
  return sizes.map((size, axis) => {
    if (size >= 0) return size;
    return begin?.length === x.length ? sizeOf((of) => of - begin[axis]!, x[axis]!) : UNKNOWN;
  });
};

/** StridedSlice, with its masks (ValidateStridedSliceOp in strided_slice_op.cc). */
export const stridedSlice: ShapeRule = (context) => {
  const x = context.shape(0);
  const [begin, end, strides] = [1, 2, 3].map((index) => context.constant(index)?.values);
  const entries = begin?.length ?? context.shape(1)?.[0] ?? UNKNOWN;
  if (!x || !isRank(entries)) return undefined;
  const has = (mask: string, entry: number) => ((attrInt(context.node, mask) ?? 0) >> entry) % 2 === 1;
  const all = [...Array(entries).keys()];
  // An ellipsis has priority over a new axis; any other entry consumes one dimension of x.
  const taking = all.filter((entry) => !has('ellipsis_mask', entry) && !has('new_axis_mask', entry)).length;
  if (taking > x.length) return undefined;
  const shape: number[] = [];
  let axis = 0;
  for (const entry of all) {
    if (has('ellipsis_mask', entry)) {
      shape.push(...x.slice(axis, axis + x.length - taking));
      axis += x.length - taking;
    } else if (has('new_axis_mask', entry)) shape.push(1);
    else {
      const range = {
        begin: has('begin_mask', entry) ? undefined : (begin?.[entry] ?? Number.NaN),
        end: has('end_mask', entry) ? undefined : (end?.[entry] ?? Number.NaN),
        stride: strides?.[entry] ?? Number.NaN,
      };
      if (!has('shrink_axis_mask', entry)) shape.push(lengthOf(x[axis]!, range));
      axis++;
    }
  }
  return [...shape, ...x.slice(axis)];
};

interface Range {
  /** Undefined if masked: to the end of the dimension. NaN if unknown. */
  readonly begin: number | undefined;
  readonly end: number | undefined;
  readonly stride: number;
}

function lengthOf(size: number, { begin, end, stride }: Range): number {
  if (size < 0 || Number.isNaN(stride + (begin ?? 0) + (end ?? 0)) || stride === 0) return UNKNOWN;
  const [low, high] = stride > 0 ? [0, size] : [-1, size - 1];
  const clamped = (at: number) => Math.min(Math.max(at < 0 ? at + size : at, low), high);
  const from = begin === undefined ? (stride > 0 ? low : high) : clamped(begin);
  const to = end === undefined ? (stride > 0 ? high : low) : clamped(end);
  return Math.max(0, Math.ceil((to - from) / stride));
}
