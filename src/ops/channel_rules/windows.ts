import { attrBool, attrInts, attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import { type ChannelProblem, layoutAxis, moved, type WithinChannels, withinChannels } from './rule.js';

/** A pool with a window of one channel. MaxPoolV2 has its window as an input. Averages exclude padding. */
const pooledAxis: WithinChannels['axis'] = (facts, node, axis) => {
  const window = attrInts(node, 'ksize') ?? facts.ints(node.inputs[1]);
  return axis === layoutAxis(node) && window?.at(axis) === 1 ? axis : moved(node);
};

/** The average of a window commutes with scale and shift. */
export const averagePool = withinChannels({ axis: pooledAxis });

/** The largest element stays the largest unless the sign changes. */
export const maximumPool = withinChannels({
  axis: pooledAxis,
  problem: (_, { name, op }, scale) =>
    scale.some((factor) => factor < 0) ? { code: 'negative_scale_of_maximum', node: name, op } : undefined,
});

/** A mean over dimensions other than that of the channels. */
export const mean = withinChannels({
  axis(facts, node, axis, direction) {
    const rank = facts.rankOf(node.inputs[0]!);
    const axes = facts.ints(node.inputs[1]);
    if (rank === undefined || !axes) return moved(node);
    const reduced = new Set(axes.map((each) => (each < 0 ? each : each - rank)));
    const averaged: ChannelProblem = { code: 'channels_averaged', node: node.name, op: node.op };
    if (attrBool(node, 'keep_dims')) return reduced.has(axis) ? averaged : axis;
    const left = Array.from({ length: rank }, (_, i) => i - rank).filter((each) => !reduced.has(each));
    if (direction === 'backward') return left.at(axis) ?? moved(node);
    return reduced.has(axis) ? averaged : left.indexOf(axis) - left.length;
  },
});

/** Weights of an interpolation sum to one. ResizeBilinear computes in float32 whatever it reads. */
export const resize = withinChannels({
  axis: (_, node, axis) => (axis === -1 ? axis : moved(node)),
  problem: (_, node) => (attrType(node, 'T') === DataType.DT_FLOAT ? undefined : moved(node)),
});
