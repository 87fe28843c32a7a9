import { attrBool } from '../../graph/attrs.js';
import type { Node } from '../../graph/node.js';
import { type Shape, type ShapeContext, type ShapeRule, UNKNOWN } from './rule.js';

/** The shape of two tensors that are broadcast against each other. */
export function broadcastShape(a: Shape, b: Shape): Shape {
  if (!a || !b) return undefined;
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - (rank - a.length)] ?? 1;
    const y = b[i - (rank - b.length)] ?? 1;
    if (x === 1) shape.push(y);
    else shape.push(y === 1 || x !== UNKNOWN ? x : y);
  }
  return shape;
}

/** The shape of two tensors known to have the same shape: combines the known sizes of both. */
export function sharedShape(a: Shape, b: Shape): Shape {
  if (!a || !b) return a ?? b;
  if (a.length !== b.length) return undefined;
  return a.map((size, i) => (size === UNKNOWN ? b[i]! : size));
}

/** The shape of a tensor that is one of two: sizes that differ are unknown. */
export function eitherShape(a: Shape, b: Shape): Shape {
  if (!a || !b || a.length !== b.length) return undefined;
  return a.map((size, i) => (size === b[i] ? size : UNKNOWN));
}

/** The shape of input 0. */
export const same: ShapeRule = (context) => context.shape(0);

/** All inputs have the shape of the output. */
export const sameForAll: ShapeRule = (context) => inputShapes(context).reduce(sharedShape, undefined);

/** Each output has the shape of its input. */
export const each: ShapeRule = (context) => inputShapes(context);

/** Inputs 0 and 1 are broadcast against each other. */
export const broadcast: ShapeRule = (context) => broadcastShape(context.shape(0), context.shape(1));

/** Equal and NotEqual, which may output one number for shapes that do not match: it is false, or true. */
export const compared: ShapeRule = ({ node, shape }) => {
  const [a, b] = [shape(0), shape(1)];
  const both = broadcastShape(a, b);
  if (!both || attrBool(node, 'incompatible_shape_error') !== false) return both;
  const pairs = both.map((_, i) => [a!.at(-1 - i) ?? 1, b!.at(-1 - i) ?? 1] as const);
  const differing = pairs.filter(([x, y]) => x !== 1 && y !== 1 && (x !== y || x === UNKNOWN));
  if (differing.length === 0) return both;
  return differing.some((pair) => !pair.includes(UNKNOWN)) ? [] : undefined;
};

/** One number. */
export const single: ShapeRule = () => [];

/** Select: the branches have the shape of the output; the condition may have one element per row. */
export const select: ShapeRule = (context) => sharedShape(context.shape(1), context.shape(2));

/** SelectV2: condition and branches are broadcast. */
export const selectV2: ShapeRule = (context) => inputShapes(context).reduce(broadcastShape);

/** Both outputs of a Switch. */
export const switched: ShapeRule = (context) => [context.shape(0), context.shape(0)];

/**
 * A Merge outputs one of its inputs, and its index. A loop variable has its initial shape until an iteration has been inferred:
 * only a loop with shape invariants changes it.
 */
export const merged: ShapeRule = (context) => {
  const shapes = inputShapes(context);
  const isBack = shapes.map((_, index) => isNextIteration(context.source(index)));
  const seen = shapes.filter((shape, index) => !isBack[index] || shape !== undefined);
  return [seen.length === 0 ? undefined : seen.reduce(eitherShape), []];
};

/** Whether a node, ref or not, ends an iteration of a v1 loop. */
export function isNextIteration(node: Node | undefined): boolean {
  return node?.op.endsWith('NextIteration') ?? false;
}

/** Shapes of all inputs. */
function inputShapes(context: ShapeContext): Shape[] {
  return context.node.inputs.map((_, index) => context.shape(index));
}
