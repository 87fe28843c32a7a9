import type { Node } from '../../graph/node.js';
import {
  type ChannelFacts,
  type ChannelRule,
  isChannelProblem,
  moved,
  type PendingScale,
  withinChannels,
} from './rule.js';

/** Identity and similar ops. */
export const elementwise = withinChannels({ axis: (_, __, axis) => axis });

const sameElements = withinChannels({
  axis(facts, node, axis, direction) {
    const [input, result] = [facts.shapeOf(node.inputs[0]!), facts.shapeOf({ node: node.name, port: 0 })];
    const [from, to] = direction === 'forward' ? [input, result] : [result, input];
    return (from && to && sameDimension(from, axis, to)) ?? moved(node);
  },
});

/** Reshape, Squeeze, ExpandDims: the channels stay in the dimension with the same stride, or go to the last one. */
export const reshape: ChannelRule = {
  backward: sameElements.backward,
  forward(facts, node, pending) {
    const next = sameElements.forward(facts, node, pending);
    return isChannelProblem(next) ? (flattened(facts, node, pending) ?? next) : next;
  },
};

/** The dimension of `to` whose positions are those of a dimension of `from`; elements keep their order. */
function sameDimension(from: readonly number[], axis: number, to: readonly number[]): number | undefined {
  const [size, behind] = [from.at(axis) ?? -1, elementsBehind(from, axis)];
  if (size < 1 || behind < 1 || -axis > from.length) return undefined;
  for (let at = -1; at >= -to.length; at--) {
    const rest = elementsBehind(to, at);
    if (rest < 0) return undefined;
    if (rest === behind && to.at(at) === size) return at;
  }
  return undefined;
}

/** Channels that are merged into the last dimension, together with the dimensions after them. */
function flattened(facts: ChannelFacts, node: Node, pending: PendingScale): PendingScale | undefined {
  const [before, after] = [facts.shapeOf(node.inputs[0]!), facts.shapeOf({ node: node.name, port: 0 })];
  const { axis, scale, stride } = pending;
  const length = after?.at(-1) ?? -1;
  const behind = before ? elementsBehind(before, axis) : -1;
  if (!before || length < 1 || behind < 1 || stride !== 1 || before.at(axis) !== scale.length) return undefined;
  for (let at = axis; at >= -before.length; at--) {
    if (elementsBehind(before, at) * before.at(at)! === length) return { ...pending, axis: -1, stride: behind };
  }
  return undefined;
}

/** Number of elements per index of a dimension; -1 if unknown. */
function elementsBehind(shape: readonly number[], axis: number): number {
  const behind = axis === -1 ? [] : shape.slice(axis + 1);
  return behind.some((size) => size < 0) ? -1 : behind.reduce((total, size) => total * size, 1);
}

/** Transpose and similar ops: the permutation moves the channels. */
export const transpose = withinChannels({
  axis(facts, node, axis, direction) {
    const order = facts.ints(node.inputs[1]);
    if (!order || -axis > order.length) return moved(node);
    const at = direction === 'backward' ? order.at(axis)! : order.indexOf(order.length + axis);
    return at < 0 ? moved(node) : at - order.length;
  },
});
