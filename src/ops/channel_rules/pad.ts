import { withinChannels } from './rule.js';

/** The margins of a Pad ([before, after] for each dimension): whether there are none along a dimension. */
export function isUnpadded(margins: readonly number[] | undefined, axis: number): boolean {
  const at = (margins?.length ?? 0) + 2 * axis;
  return margins !== undefined && at >= 0 && margins[at] === 0 && margins[at + 1] === 0;
}

/** Zero times a factor is zero: the scale may come before the padding, the shift may not. A mirror shows both. */
export const pad = withinChannels({
  axis: (facts, node, axis) =>
    isUnpadded(facts.ints(node.inputs[1]), axis) ? axis : { code: 'channels_padded', node: node.name, op: node.op },
  problem(facts, node) {
    // PadV2 alone has the number as an input.
    const isZero = node.op === 'MirrorPad' || !node.inputs[2] || facts.scalar(node.inputs[2]) === 0;
    return isZero ? undefined : { code: 'padded_with_another_number', node: node.name, op: node.op };
  },
  keepsShift: (_, node) => node.op === 'MirrorPad',
});
