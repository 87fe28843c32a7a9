import { attrInt } from '../../graph/attrs.js';
import type { Node } from '../../graph/node.js';
import { isUnpadded } from './pad.js';
import {
  type ChannelFacts,
  type ChannelRule,
  type ChannelScale,
  layoutAxis,
  moved,
  type WithinChannels,
  withinChannels,
} from './rule.js';

interface Blocks {
  /** Sizes of the blocks, from dimension 1 on. */
  readonly sizes: readonly number[];
  /** The crops or paddings, as [before, after] for each of these dimensions. */
  readonly margins: readonly number[];
}

/** The older ops have an attr with one size for height and width. */
function blocksOf(facts: ChannelFacts, node: Node): Blocks | undefined {
  const size = attrInt(node, 'block_size');
  const sizes = size === undefined ? facts.ints(node.inputs[1]) : [size, size];
  const margins = facts.ints(node.inputs[size === undefined ? 2 : 1]);
  return sizes && margins && { sizes, margins };
}

const blockAxis: WithinChannels['axis'] = (facts, node, axis) => {
  const blocks = blocksOf(facts, node);
  const rank = facts.rankOf(node.inputs[0]!) ?? facts.rankOf({ node: node.name, port: 0 });
  if (!blocks || rank === undefined) return moved(node);
  // The batch is dimension 0.
  const at = rank + axis - 1;
  const isWhole =
    at >= blocks.sizes.length || (blocks.sizes[at] === 1 && isUnpadded(blocks.margins, at - blocks.sizes.length));
  return at >= 0 && isWhole ? axis : moved(node);
};

/** Blocks of positions become batches, each channel separately. */
export const spaceToBatch = withinChannels({
  axis: blockAxis,
  keepsShift: (facts, node) => blocksOf(facts, node)?.margins.every((margin) => margin === 0) ?? false,
});

/** The inverse of {@link spaceToBatch}, which crops instead of padding. */
export const batchToSpace = withinChannels({ axis: blockAxis });

/** How often the channels of an NHWC tensor are repeated when blocks of positions become channels. */
function repeats(node: Node, { axis }: ChannelScale): number | undefined {
  const size = attrInt(node, 'block_size') ?? 0;
  return axis === -1 && layoutAxis(node) === -1 && size > 0 ? size * size : undefined;
}

function repeated<S extends ChannelScale>(of: S, times: number): S {
  const repeat = (values: Float64Array) =>
    Float64Array.from({ length: values.length * times }, (_, i) => values[i % values.length]!);
  return { ...of, scale: repeat(of.scale), shift: of.shift && repeat(of.shift) };
}

/** Channel c of the result comes from the channels c, c + C, c + 2C, ... */
export const depthToSpace: ChannelRule = {
  backward(_, node, { axis, scale, shift }) {
    const required = { ref: node.inputs[0]!, axis, scale, shift };
    if (scale.length === 1) return [required];
    const times = repeats(node, required);
    return times === undefined ? moved(node) : [repeated(required, times)];
  },
  forward: (_, node, pending) => (pending.scale.length === 1 ? pending : moved(node)),
};

/** Channel c becomes the channels c, c + C, c + 2C, ... of the result. */
export const spaceToDepth: ChannelRule = {
  backward: (_, node, { axis, scale, shift }) =>
    scale.length === 1 ? [{ ref: node.inputs[0]!, axis, scale, shift }] : moved(node),
  forward(_, node, pending) {
    if (pending.scale.length === 1) return pending;
    const times = pending.stride === 1 ? repeats(node, pending) : undefined;
    return times === undefined ? moved(node) : repeated(pending, times);
  },
};
