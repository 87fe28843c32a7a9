import type { Node } from '../../graph/node.js';
import { MAX_RANK } from '../../graph/tensor.js';
import type { ConstantValue } from '../value_rules.js';

/** Sizes of a tensor, -1 for an unknown size; undefined for an unknown rank. */
export type Shape = readonly number[] | undefined;

/** An unknown size. */
export const UNKNOWN = -1;

/** The facts about a node that a shape rule may use. */
export interface ShapeContext {
  readonly node: Node;
  /** Shape of an input. */
  shape(index: number): Shape;
  /** Value of an input, as far as constants determine it. */
  constant(index: number): ConstantValue | undefined;
  /** The node that makes an input. */
  source(index: number): Node | undefined;
  /** The variable node of an input that is a handle, possibly forwarded. */
  handle(index: number): Node | undefined;
  /** Version of the TensorFlow that wrote the graph (VersionDef.producer); 0 if unknown. */
  readonly producer: number;
}

/** The shape of any output, for ops that may have millions of them. */
export type PortShapes = (port: number) => Shape;

/** The shape of output 0, or the shapes of all outputs. A rule returns undefined or -1 in case of doubt. */
export type ShapeRule = (context: ShapeContext) => Shape | readonly Shape[] | PortShapes;

/** An input as a list of integers; undefined unless all elements are known. */
export function ints(context: ShapeContext, index: number): readonly number[] | undefined {
  const values = context.constant(index)?.values;
  return values?.some(Number.isNaN) ? undefined : values;
}

/** An input as one number. */
export function scalar(context: ShapeContext, index: number): number | undefined {
  const values = ints(context, index);
  return values?.length === 1 ? values[0] : undefined;
}

/** The shape given by an input: a list of sizes of known length. */
export function shapeGiven(context: ShapeContext, index: number): Shape {
  const value = context.constant(index);
  if (value?.shape.length === 1 && value.values.length <= MAX_RANK) {
    return value.values.map((size) => (size >= 0 ? size : UNKNOWN));
  }
  const length = context.shape(index);
  return length?.length === 1 && isRank(length[0]!) ? unknownSizes(length[0]!) : undefined;
}

/** Whether a size can be the rank of a tensor. */
export function isRank(size: number): boolean {
  return size >= 0 && size <= MAX_RANK;
}

/** A shape with a known rank and unknown sizes. */
export function unknownSizes(rank: number): number[] {
  return new Array<number>(rank).fill(UNKNOWN);
}

/** Index of an axis that may be counted from the end; undefined if the axis does not exist. */
export function axisIndex(axis: number | undefined, rank: number): number | undefined {
  if (axis === undefined) return undefined;
  const index = axis < 0 ? axis + rank : axis;
  return index >= 0 && index < rank ? index : undefined;
}

/** A size computed from others; unknown if one of them is, or if the result is not an integer. */
export function sizeOf(compute: (...sizes: number[]) => number, ...sizes: readonly number[]): number {
  if (sizes.some((size) => size < 0)) return UNKNOWN;
  const size = compute(...sizes);
  return Number.isInteger(size) && size >= 0 ? size : UNKNOWN;
}
