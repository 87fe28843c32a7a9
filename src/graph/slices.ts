import { BnfixError } from '../errors.js';
import type { SliceExtent } from './model.js';

/** A rectangle of a tensor: one extent per dimension. */
export type TensorSlice = readonly SliceExtent[];

/** A slice with all lengths known, without -1. */
export type Box = TensorSlice;

/** The box of a whole tensor of this shape. */
export function wholeBox(shape: readonly number[]): Box {
  return shape.map((length) => ({ start: 0, length }));
}

/** The slice with its lengths filled in; undefined if it exceeds the shape. */
export function boxOf(slice: TensorSlice, shape: readonly number[]): Box | undefined {
  if (slice.length !== shape.length) return undefined;
  const box = slice.map(({ start, length }, i) => ({ start, length: length === -1 ? shape[i]! - start : length }));
  const fits = box.every(({ start, length }, i) => start >= 0 && length >= 0 && start + length <= shape[i]!);
  return fits ? box : undefined;
}

/** The sizes of a box. */
export function boxShape(box: Box): number[] {
  return box.map(({ length }) => length);
}

/** In TensorFlow's notation: `0,5:-`. */
export function sliceText(slice: TensorSlice): string {
  return slice.map(({ start, length }) => (length === -1 ? '-' : `${start},${length}`)).join(':');
}

/**
 * Parses an element of the input `shape_and_slices` of SaveV2 and RestoreV2: `"10 4 0,5:-"` is rows 0 to 4 of a [10, 4].
 * @returns undefined for the empty string, which means the whole tensor
 * @throws BnfixError `unreadable` when it is malformed, or when the slice exceeds the shape
 */
export function parseSliceSpec(spec: string): { shape: number[]; slice: Box } | undefined {
  if (spec === '') return undefined;
  const words = spec.split(' ');
  const shape = words.slice(0, -1).map(Number);
  const slice = words.at(-1)!.split(':').map(parseExtent);
  const box = shape.every((size) => Number.isSafeInteger(size) && size >= 0) && boxOf(slice, shape);
  if (box) return { shape, slice: box };
  throw new BnfixError('unreadable', `"${spec}" is not a shape and a slice of it`, {
    why: 'expected something like "10 4 0,5:-": the sizes, then start,length of each dimension or - for all of it',
    fix: 'the saver in the graph is corrupt: save the graph again',
  });
}

function parseExtent(text: string): SliceExtent {
  if (text === '-') return { start: 0, length: -1 };
  const match = /^(\d+),(\d+)$/.exec(text);
  return match ? { start: Number(match[1]), length: Number(match[2]) } : { start: -1, length: 0 };
}
