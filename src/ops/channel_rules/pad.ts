import { withinChannels } from './rule.js';

/** Whether a Pad has no padding along a dimension. */
export function isUnpadded(margins: readonly number[] | undefined, axis: number): boolean {
  const at = (margins?.length ?? 0) + 2 * axis;
  return margins !== undefined && at >= 0 && margins[at] === 0 && margins[at + 1] === 0;
}

/** Zero times a factor is zero: a scale commutes with zero padding, a shift does not. Mirror padding commutes with both. */
export const pad = withinChannels({
  axis: (facts, node, axis) =>
    isUnpadded(facts.ints(node.inputs[1]), axis) ? axis : { code: 'channels_padded', node: node.name, op: node.op },
  problem(facts, node) {
    // Only PadV2 has the pad value as an input.
    const isZero = node.op === 'MirrorPad' || !node.inputs[2] || facts.scalar(node.inputs[2]) === 0;
    return isZero ? undefined : { code: 'padded_with_another_number', node: node.name, op: node.op };
  },
  keepsShift: (_, node) => node.op === 'MirrorPad',
});
