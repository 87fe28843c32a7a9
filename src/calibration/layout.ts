import { elementCount } from '../graph/tensor.js';
import { permuted } from '../run/permuted.js';
import type { RowLayout } from './channel_moments.js';

/** Which axes of a tensor are its channels. */
export type ChannelAxes =
  /** The axes that a reduction keeps. */
  | { readonly kind: 'not'; readonly reduced: readonly number[] }
  /** The second axis, as in NCHW. */
  | { readonly kind: 'second' }
  | { readonly kind: 'last' }
  /** Those in which a statistic of this shape, aligned at the last axis, is not 1. */
  | { readonly kind: 'like'; readonly shape: readonly number[] };

/** The elements of a tensor in an order in which its channels are next to each other. */
export interface Arranged {
  readonly data: ArrayLike<number>;
  readonly layout: RowLayout;
}

/** The elements by channel. @returns undefined for a tensor whose batch axis would be one of its channels */
export function arranged(shape: readonly number[], data: ArrayLike<number>, axes: ChannelAxes): Arranged | undefined {
  const own = layoutOf(shape, axes);
  if (own) return { data, layout: own };
  const kept = channelAxes(shape, axes);
  if (shape.length === 0 || kept[0] === 0) return undefined;
  const others = shape.map((_, axis) => axis).filter((axis) => !kept.includes(axis));
  const order = [...others, ...kept];
  const sizes = order.map((axis) => shape[axis]!);
  const channels = elementCount(kept.map((axis) => shape[axis]!));
  const outer = elementCount(sizes) / (shape[0]! * channels);
  return { data: permuted(shape, data, order), layout: { rows: shape[0]!, outer, channels, inner: 1 } };
}

/** Where the channels of a tensor are; undefined for channels that are not next to each other, or include the batch axis. */
export function layoutOf(shape: readonly number[], axes: ChannelAxes): RowLayout | undefined {
  const kept = channelAxes(shape, axes);
  const [first = shape.length, last = shape.length - 1] = [kept[0], kept.at(-1)];
  if (shape.length === 0 || first === 0 || kept.length !== Math.max(0, last - first + 1)) return undefined;
  return {
    rows: shape[0]!,
    outer: elementCount(shape.slice(1, first)),
    channels: elementCount(shape.slice(first, last + 1)),
    inner: elementCount(shape.slice(last + 1)),
  };
}

/** The axes that are the channels of a tensor. */
export function channelAxes(shape: readonly number[], axes: ChannelAxes): number[] {
  const all = shape.map((_, axis) => axis);
  switch (axes.kind) {
    case 'last':
      return all.slice(1).slice(-1);
    case 'second':
      return all.slice(1, 2);
    case 'not': {
      const reduced = new Set(axes.reduced.map((axis) => (axis < 0 ? axis + shape.length : axis)));
      return all.filter((axis) => !reduced.has(axis));
    }
    case 'like': {
      const offset = shape.length - axes.shape.length;
      return all.filter((axis) => axis >= offset && axes.shape[axis - offset] !== 1);
    }
  }
}
