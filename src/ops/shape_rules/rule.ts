import type { Node } from '../../graph/node.js';
import type { ConstantValue } from '../value_rules.js';

/** Sizes of a tensor, -1 where a size is not known; undefined where the rank is not. */
export type Shape = readonly number[] | undefined;

/** A size that is not known. */
export const UNKNOWN = -1;

/** What a shape rule may ask about a node. */
export interface ShapeContext {
  readonly node: Node;
  /** Shape of an input. */
  shape(index: number): Shape;
  /** Value of an input, as far as constants determine it. */
  constant(index: number): ConstantValue | undefined;
  /** The node that makes an input. */
  source(index: number): Node | undefined;
  /** The node that makes an input that is a variable's handle, wherever it is read. */
  handle(index: number): Node | undefined;
  /** Version of the TensorFlow that wrote the graph (VersionDef.producer); 0 where it is unknown. */
  readonly producer: number;
}

/** The shape of output 0, or the shapes of all outputs. A rule that is in doubt says that it does not know. */
export type ShapeRule = (context: ShapeContext) => Shape | readonly Shape[];

/** An input as a list of integers; undefined unless all of it is known. */
export function ints(context: ShapeContext, index: number): readonly number[] | undefined {
  const values = context.constant(index)?.values;
  return values?.some(Number.isNaN) ? undefined : values;
}

/** An input as one number. */
export function scalar(context: ShapeContext, index: number): number | undefined {
  const values = ints(context, index);
  return values?.length === 1 ? values[0] : undefined;
}

/** The shape that an input says: a list of sizes, of which at least their number is known. */
export function shapeGiven(context: ShapeContext, index: number): Shape {
  const value = context.constant(index);
  if (value?.shape.length === 1) return value.values.map((size) => (size >= 0 ? size : UNKNOWN));
  const length = context.shape(index);
  return length?.length === 1 && length[0]! >= 0 ? unknownSizes(length[0]!) : undefined;
}

/** A shape of which only the rank is known. */
export function unknownSizes(rank: number): number[] {
  return new Array<number>(rank).fill(UNKNOWN);
}

/** Index of an axis that may be counted from the end; undefined where there is no such axis. */
export function axisIndex(axis: number | undefined, rank: number): number | undefined {
  if (axis === undefined) return undefined;
  const index = axis < 0 ? axis + rank : axis;
  return index >= 0 && index < rank ? index : undefined;
}

/** A size computed from others; unknown when one of them is, or when it comes to no whole number. */
export function sizeOf(compute: (...sizes: number[]) => number, ...sizes: readonly number[]): number {
  if (sizes.some((size) => size < 0)) return UNKNOWN;
  const size = compute(...sizes);
  return Number.isInteger(size) && size >= 0 ? size : UNKNOWN;
}
