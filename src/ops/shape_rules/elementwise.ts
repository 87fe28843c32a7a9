import { type Shape, type ShapeContext, UNKNOWN } from './rule.js';

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

/** What is known of a shape from two that are the same tensor's, or those of tensors that have to be alike. */
export function sharedShape(a: Shape, b: Shape): Shape {
  if (!a || !b) return a ?? b;
  if (a.length !== b.length) return undefined;
  return a.map((size, i) => (size === UNKNOWN ? b[i]! : size));
}

/** The shape of input 0. */
export function same(context: ShapeContext): Shape {
  return context.shape(0);
}

/** All inputs have the shape of the output. */
export function sameForAll(context: ShapeContext): Shape {
  return context.node.inputs.map((_, index) => context.shape(index)).reduce(sharedShape, undefined);
}

/** Inputs 0 and 1 are broadcast against each other. */
export function broadcast(context: ShapeContext): Shape {
  return broadcastShape(context.shape(0), context.shape(1));
}
