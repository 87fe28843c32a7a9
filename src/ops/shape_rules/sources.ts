import { attrShape, attrShapes } from '../../graph/attrs.js';
import { rangeLength } from '../value_rules.js';
import { type Shape, type ShapeContext, type ShapeRule, scalar, shapeGiven, UNKNOWN } from './rule.js';

/** The attr `shape`, which the op enforces. */
export const declared: ShapeRule = ({ node }) => attrShape(node, 'shape');

/** A Placeholder: before GraphDef version 24 an empty shape meant an unknown shape. */
export const fed: ShapeRule = ({ node, producer }) => {
  const shape = attrShape(node, 'shape');
  return shape?.length === 0 && producer < 24 ? undefined : shape;
};

/** The shape of a constant. */
export const constant: ShapeRule = ({ node }) => node.tensor?.shape;

/** The value of a variable: its handle declares the shape. */
export const ofHandle: ShapeRule = (context) => {
  const handle = context.handle(0);
  return handle && attrShape(handle, 'shape');
};

/** An input gives the shape: Fill, BroadcastTo, random ops. */
export function givenBy(index: number): ShapeRule {
  return (context) => shapeGiven(context, index);
}

/** One input gives the shape of the samples, and another has parameters for each of them: RandomGamma, RandomPoisson. */
export const samplesOf: ShapeRule = (context) => {
  const [samples, parameters] = [shapeGiven(context, 0), context.shape(1)];
  return samples && parameters && [...samples, ...parameters];
};

/** Multinomial: [batch, samples]. */
export const drawn: ShapeRule = (context) => {
  const logits = context.shape(0);
  return logits?.length === 2 ? [logits[0]!, scalar(context, 1) ?? UNKNOWN] : undefined;
};

/** Range: a list. */
export const counted: ShapeRule = (context) => {
  const [from, to, step] = [0, 1, 2].map((index) => scalar(context, index));
  if (from === undefined || to === undefined || !step) return [UNKNOWN];
  return [rangeLength(context.node, from, to, step)];
};

/** Shape: one size per dimension of the input. */
export const shapeOf: ShapeRule = (context) => [context.shape(0)?.length ?? UNKNOWN];

/** ShapeN: the shape of each input. */
export const shapesOf: ShapeRule = (context) =>
  context.node.inputs.map((_, index): Shape => [context.shape(index)?.length ?? UNKNOWN]);

/** The outputs of an iterator: its attr `output_shapes`, which TensorFlow checks. */
export const ofIterator: ShapeRule = ({ node }) => attrShapes(node, 'output_shapes') ?? undefined;

/** The outputs of an infeed: the attr `shapes`, or `shape` for a single one. The batch is that of one TPU core: unknown elsewhere. */
export const ofInfeed: ShapeRule = ({ node }) => {
  const shapes = attrShapes(node, 'shapes') ?? [attrShape(node, 'shape')];
  return shapes.map((shape) => shape && (shape.length === 0 ? shape : [UNKNOWN, ...shape.slice(1)]));
};

/** An element of a queue: the attr `shapes` of the queue, if it has one per component. */
export const dequeued: ShapeRule = (context) => componentShapes(context);

/** Several elements of a queue. Their number is the batch of the training: the net may be fed another. */
export const dequeuedMany: ShapeRule = (context) =>
  componentShapes(context)?.map((shape) => shape && [UNKNOWN, ...shape]);

function componentShapes(context: ShapeContext): readonly Shape[] | undefined {
  const queue = context.handle(0);
  const shapes = queue && attrShapes(queue, 'shapes');
  return shapes && shapes.length > 0 ? shapes : undefined;
}
