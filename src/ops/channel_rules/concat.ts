import { concatenation } from '../concatenation.js';
import { type ChannelRule, moved, type RequiredScale } from './rule.js';

/** Backward, each part gets the factors of its channels. Forward, a scale of one part cannot be pending for the result. */
export const concat: ChannelRule = {
  backward(facts, node, { axis, scale, shift }) {
    const { parts, axis: dimension } = concatenation(node);
    const along = facts.scalar(dimension);
    const rank = facts.rankOf(parts[0]!) ?? facts.rankOf({ node: node.name, port: 0 });
    if (along === undefined || rank === undefined) return moved(node);
    if (scale.length === 1 || (along < 0 ? along : along - rank) !== axis) {
      return parts.map((ref) => ({ ref, axis, scale, shift }));
    }
    const required: RequiredScale[] = [];
    let from = 0;
    for (const ref of parts) {
      const size = facts.shapeOf(ref)?.at(axis) ?? -1;
      if (size < 1) return { code: 'channels_unknown', node: ref.node };
      const own = (values: Float64Array) => values.slice(from, from + size);
      required.push({ ref, axis, scale: own(scale), shift: shift && own(shift) });
      from += size;
    }
    return from === scale.length ? required : moved(node);
  },
};
