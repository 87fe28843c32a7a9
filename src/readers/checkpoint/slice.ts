import { type Box, boxShape, sliceText, type TensorSlice } from '../../graph/slices.js';
import { elementCount } from '../../graph/tensor.js';
import type { tensorflow } from '../../proto/tensorflow.js';
import { count } from './checkpoint_errors.js';

/** The intersection of two boxes; undefined if it is empty. */
export function intersect(a: Box, b: Box): Box | undefined {
  const common = a.map((extent, i) => {
    const start = Math.max(extent.start, b[i]!.start);
    return { start, length: Math.min(extent.start + extent.length, b[i]!.start + b[i]!.length) - start };
  });
  return common.every(({ length }) => length > 0) ? common : undefined;
}

/** Why the boxes do not cover a tensor of this shape exactly once; undefined if they do. */
export function coverageFault(boxes: readonly Box[], shape: readonly number[]): string | undefined {
  const overlap = findOverlap(boxes, shape.length);
  if (overlap) return `the parts ${overlap.map(sliceText).join(' and ')} overlap`;
  const covered = boxes.reduce((sum, box) => sum + elementCount(boxShape(box)), 0);
  const wanted = elementCount(shape);
  return covered === wanted ? undefined : `its parts hold ${covered} of ${wanted} elements`;
}

/** Two boxes that overlap. Only boxes are compared whose ranges overlap along the axis that separates most of them. */
function findOverlap(boxes: readonly Box[], rank: number): [Box, Box] | undefined {
  const starts = Array.from({ length: rank }, (_, axis) => new Set(boxes.map((box) => box[axis]!.start)).size);
  const axis = starts.indexOf(Math.max(...starts));
  if (axis < 0) return boxes.length > 1 ? [boxes[0]!, boxes[1]!] : undefined;
  let open: Box[] = [];
  for (const box of boxes.toSorted((a, b) => a[axis]!.start - b[axis]!.start)) {
    const { start } = box[axis]!;
    open = open.filter((each) => each[axis]!.start + each[axis]!.length > start);
    const other = open.find((each) => intersect(each, box));
    if (other) return [other, box];
    open.push(box);
  }
  return undefined;
}

/** A run of elements that is contiguous in both boxes: its position in the row-major elements of each, and its length. */
export interface Run {
  readonly to: number;
  readonly from: number;
  readonly count: number;
}

/** The runs that copy the intersection of two boxes from one to the other, in order. */
export function* runs(target: Box, source: Box): Generator<Run> {
  const common = intersect(target, source);
  if (!common) return;
  // If both hold whole last dimensions, rows are contiguous.
  let axis = Math.max(common.length - 1, 0);
  const isWhole = (i: number) => common[i]!.length === target[i]!.length && common[i]!.length === source[i]!.length;
  while (axis > 0 && isWhole(axis)) axis--;
  const length = elementCount(boxShape(common.slice(axis)));
  const index = common.map(({ start }) => start);
  while (true) {
    yield { to: offsetIn(target, index), from: offsetIn(source, index), count: length };
    let turn = axis - 1;
    for (; turn >= 0; turn--) {
      const { start, length: size } = common[turn]!;
      if (++index[turn]! < start + size) break;
      index[turn] = start;
    }
    if (turn < 0) return;
  }
}

/** The range of a box's elements that spans its intersection with another; undefined if it is empty. */
export function spanIn(box: Box, other: Box): { start: number; end: number } | undefined {
  const common = intersect(box, other);
  if (!common) return undefined;
  const first = common.map(({ start }) => start);
  const last = common.map(({ start, length }) => start + length - 1);
  return { start: offsetIn(box, first), end: offsetIn(box, last) + 1 };
}

/** Position of a tensor's element among the row-major elements of a box. */
function offsetIn(box: Box, index: readonly number[]): number {
  return box.reduce((offset, { start, length }, i) => offset * length + index[i]! - start, 0);
}

/** The slice of a TensorSliceProto: an extent without a length is the whole dimension. */
export function sliceOfProto(file: string, what: string, proto: tensorflow.TensorSliceProto.$Properties): TensorSlice {
  return (proto.extent ?? []).map(({ start, length }) => ({
    start: count(file, what, start),
    length: length === null || length === undefined ? -1 : count(file, what, length),
  }));
}
