import type { Node } from '../../graph/node.js';

/** Sizes of a tensor, -1 where a size is not known; undefined where the rank is not. */
export type Shape = readonly number[] | undefined;

/** A size that is not known. */
export const UNKNOWN = -1;

/** What a shape rule may ask about a node. */
export interface ShapeContext {
  readonly node: Node;
  /** Shape of an input. */
  shape(index: number): Shape;
  /** An input as a constant list of integers; undefined unless all of it is known. */
  ints(index: number): readonly number[] | undefined;
  /** An input as a list of sizes, -1 where one is not known; undefined when not even their number is. */
  sizes(index: number): readonly number[] | undefined;
  /** An input as one constant number. */
  scalar(index: number): number | undefined;
  /** The node that an input reads: the handle of a variable. */
  source(index: number): Node | undefined;
  /** Version of the TensorFlow that wrote the graph (VersionDef.producer); 0 where it is not said. */
  readonly producer: number;
}

/** The shape of output 0, or the shapes of all outputs. */
export type ShapeRule = (context: ShapeContext) => Shape | readonly Shape[];
