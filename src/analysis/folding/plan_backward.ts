import type { Node, TensorRef } from '../../graph/node.js';
import { type ChannelScale, isChannelProblem } from '../../ops/channel_rules/rule.js';
import { anyOf, channelRuleOf } from '../../ops/meaning.js';
import { axisOf, type Vector } from '../values/vectors.js';
import { affineOp, isBias, isDifference, isSum } from './affine.js';
import { planAddend, planBias } from './bias.js';
import { planKernel } from './kernels.js';
import { type LinearOp, linearOp } from './linear_ops.js';
import { type FoldReason, isReason, MAX_CROSSED, type SearchLimit } from './reasons.js';
import type { FoldStep } from './steps.js';
import type { FoldView } from './view.js';

/** How a tensor gets a required scale and shift. */
export interface Met {
  /** Whether the plan adds the shift; otherwise the site still has to. */
  readonly shiftTaken: boolean;
  readonly steps: readonly FoldStep[];
  /** The ops whose kernels take the scale. */
  readonly ops: readonly LinearOp[];
  /** All nodes along the way. */
  readonly nodes: readonly string[];
}

const isQuantised = anyOf('fake_quantize');

/**
 * How preceding ops can give the tensor that `user` reads a scale and shift.
 *
 * Requires that scaling commutes with every op along the way, and that nothing else reads the tensors in between.
 */
export function planBackward(
  view: FoldView,
  ref: TensorRef,
  user: Node,
  required: ChannelScale,
  limit: SearchLimit = { left: MAX_CROSSED },
): Met | FoldReason {
  const node = view.graph.get(ref.node);
  limit.left -= 1;
  if (limit.left < 0) return { code: 'too_far', node: node.name };
  const op = linearOp(view, node);
  const isAddition = isSum(node) || isDifference(node) || isBias(node);
  const isCrossed = op || isAddition || isQuantised(node) || channelRuleOf(node.op)?.backward;
  if (ref.port !== 0 || !isCrossed) return { code: 'input_not_linear', node: node.name, op: node.op, port: ref.port };
  const shared = view.whyShared(ref, user);
  if (shared) return shared;
  if (isQuantised(node)) return { code: 'input_quantised', node: node.name };
  if (op) return planLinear(view, op, required);
  const plan = isAddition ? planAddition : planCrossing;
  const met = plan(view, node, required, limit);
  return isReason(met) ? met : { ...met, nodes: [node.name, ...met.nodes] };
}

function planLinear(view: FoldView, op: LinearOp, { axis, scale, shift }: ChannelScale): Met | FoldReason {
  const { node, channels } = op;
  const isVector = scale.length > 1;
  if (channels === undefined) return { code: 'channels_unknown', node: node.name };
  if (isVector && (axis !== op.axis || scale.length !== channels)) {
    return { code: 'not_along_outputs', node: node.name, channels };
  }
  const spread = (values: Float64Array) => (isVector ? values : new Float64Array(channels).fill(values[0]!));
  const terms = op.outputTerms(channels);
  if (!terms) return { code: 'kernel_mixes_channels', node: node.name };
  const kernel = planKernel(view, op, { values: spread(scale), terms });
  if (isReason(kernel)) return kernel;
  const bias = shift && planBias(view, op, spread(shift));
  if (bias && isReason(bias)) return bias;
  return { shiftTaken: bias !== undefined, steps: [kernel, ...(bias ? [bias] : [])], ops: [op], nodes: [node.name] };
}

function planCrossing(view: FoldView, node: Node, required: ChannelScale, limit: SearchLimit): Met | FoldReason {
  const parts = channelRuleOf(node.op)!.backward!(view, node, required);
  if (isChannelProblem(parts)) return parts;
  const all: Met[] = [];
  for (const part of parts) {
    const met = planBackward(view, part.ref, node, part, limit);
    if (isReason(met)) return met;
    all.push(met);
  }
  // A shift must be applied to all parts or to none.
  if (all.length > 1 && required.shift && all.some(({ shiftTaken }) => !shiftTaken)) {
    return planCrossing(view, node, { ...required, shift: undefined }, limit);
  }
  return together(all);
}

function together(all: readonly Met[]): Met {
  return {
    shiftTaken: all.every(({ shiftTaken }) => shiftTaken),
    steps: all.flatMap(({ steps }) => steps),
    ops: all.flatMap(({ ops }) => ops),
    nodes: all.flatMap(({ nodes }) => nodes),
  };
}

/** x + c: c is scaled as well, and absorbs the shift. x + y: both are scaled. */
function planAddition(view: FoldView, node: Node, required: ChannelScale, limit: SearchLimit): Met | FoldReason {
  const added = affineOp(view, node);
  if (!added) return planSum(view, node, required, limit);
  const { shift } = added.affine;
  const axis = axisOf(shift);
  const rank = view.rankOf(added.x);
  const isVector = required.scale.length > 1;
  if (axis !== undefined && isVector && (axis !== required.axis || shift.values.length !== required.scale.length)) {
    return { code: 'addend_along_other_channels', node: node.name };
  }
  if (shift.shape.length > 1 && (rank === undefined || shift.shape.length > rank)) {
    return { code: 'addend_of_higher_rank', node: node.name };
  }
  const addend = scaledAddend(shift, required, axis === undefined && isVector ? required.axis : undefined);
  const step = planAddend(added, addend);
  if (isReason(step)) return step;
  // In c - x, x has the opposite sign, but the same scale.
  const met = planBackward(view, added.x, node, { ...required, shift: undefined }, limit);
  if (isReason(met)) return met;
  return { ...met, shiftTaken: required.shift !== undefined, steps: [...met.steps, step] };
}

/** The addend for the scaled tensor: `axis` is the channel dimension if `addend` is one number for all. */
function scaledAddend(addend: Vector, { scale, shift }: ChannelScale, axis: number | undefined): Vector {
  const size = Math.max(addend.values.length, scale.length);
  const at = (values: Float64Array, i: number) => values[values.length === 1 ? 0 : i]!;
  const values = Float64Array.from({ length: size }, (_, i) => {
    return at(scale, i) * at(addend.values, i) + (shift ? at(shift, i) : 0);
  });
  return { shape: axis === undefined ? addend.shape : [size, ...new Array<number>(-axis - 1).fill(1)], values };
}

/** The sum or difference of two tensors, neither of them constant. */
function planSum(view: FoldView, node: Node, required: ChannelScale, limit: SearchLimit): Met | FoldReason {
  const [a, b] = node.inputs;
  if (!a || !b || isBias(node)) return { code: 'addend_not_constant', node: node.name, op: node.op };
  const first = planBackward(view, a, node, required, limit);
  if (isReason(first)) return first;
  // One of them absorbs the shift; a subtracted one cannot.
  const shift = first.shiftTaken || isDifference(node) ? undefined : required.shift;
  const second = planBackward(view, b, node, { ...required, shift }, limit);
  if (isReason(second)) return second;
  const shiftTaken = first.shiftTaken || (shift !== undefined && second.shiftTaken);
  return { ...together([first, second]), shiftTaken };
}
