import type { Node, TensorRef } from '../../graph/node.js';
import { addBias, setAddend } from '../../passes/edits/bias.js';
import { axisOf, type Vector } from '../values/vectors.js';
import { affineOp } from './affine.js';
import { TRANSPARENT, type Want } from './commute_backward.js';
import { claimKernel, type KernelClaim } from './kernels.js';
import { type LinearOp, linearOp } from './linear_ops.js';
import { whyNotRepresentable } from './range.js';
import { isRefusal, type Refusal, refusal } from './refusal.js';
import { type FoldView, typeOf } from './view.js';

/** How a want is met. */
export interface Plan {
  /** Whether the shift is added on the way; otherwise the site still has to. */
  readonly shiftTaken: boolean;
  readonly claims: readonly KernelClaim[];
  /** Changes beside the kernels, to be done once the claims are met. */
  readonly edits: readonly (() => void)[];
  /** The ops whose kernels take the scale. */
  readonly ops: readonly LinearOp[];
}

/** Ways longer than that are no batch norm behind a convolution. */
const MAX_DEPTH = 24;

/**
 * How a tensor that `user` reads can be scaled by what comes before it. Nothing is changed.
 *
 * Assumes that scaling commutes with every op on the way, and that nobody else sees the tensors between.
 */
export function planBackward(view: FoldView, ref: TensorRef, user: Node, want: Want, depth = 0): Plan | Refusal {
  const node = view.graph.find(ref.node);
  if (!node || ref.port !== 0) return refusal(`its input is output ${ref.port} of ${ref.node} (${node?.op})`);
  const op = linearOp(view, node);
  const isOnTheWay = op || node.op in TRANSPARENT || node.op in ADDS || node.op.startsWith('FakeQuant');
  if (!isOnTheWay || depth > MAX_DEPTH) return refusal(`its input comes from ${node.name} (${node.op})`);
  const shared = view.whyShared(ref, user);
  if (shared) return refusal(shared);
  if (node.op.startsWith('FakeQuant')) return refusal(`${node.name} quantises its input`, true);
  if (op) return planLeaf(view, op, want);
  if (node.op in ADDS) return planAdd(view, node, want, depth);
  return planTransparent(view, node, want, depth);
}

function planLeaf(view: FoldView, op: LinearOp, want: Want): Plan | Refusal {
  const { node } = op;
  const size = op.channels;
  const isVector = want.scale.length > 1;
  if (size === undefined) return refusal(`the number of channels of ${node.name} is not known`);
  if (isVector && (want.axis !== op.axis || want.scale.length !== size)) {
    return refusal(`it does not lie along the ${size} output channels of ${node.name}`);
  }
  const spread = (values: Float64Array) => (isVector ? values : new Float64Array(size).fill(values[0]!));
  const terms = op.outputTerms(size);
  if (!terms) return refusal(`the kernel of ${node.name} does not tell its ${size} output channels apart`);
  const claim = claimKernel(view, want.site, op, { values: spread(want.scale), terms });
  if (isRefusal(claim)) return claim;
  const { shift } = want;
  const problem = shift && whyNotRepresentable(typeOf(node)!, shift);
  if (problem) return refusal(problem);
  const edits = shift ? [() => addBias(view, op, spread(shift))] : [];
  return { shiftTaken: shift !== undefined, claims: [claim], edits, ops: [op] };
}

function planTransparent(view: FoldView, node: Node, want: Want, depth: number): Plan | Refusal {
  const parts = TRANSPARENT[node.op]!(view, node, want);
  if (isRefusal(parts)) return parts;
  const plans: Plan[] = [];
  for (const part of parts) {
    const plan = planBackward(view, part.ref, node, { ...part, site: want.site }, depth + 1);
    if (isRefusal(plan)) return plan;
    plans.push(plan);
  }
  // Several parts take a shift only together.
  if (plans.length > 1 && want.shift && plans.some((plan) => !plan.shiftTaken)) {
    return planTransparent(view, node, { ...want, shift: undefined }, depth);
  }
  return merged(plans);
}

function merged(plans: readonly Plan[]): Plan {
  return {
    shiftTaken: plans.every((plan) => plan.shiftTaken),
    claims: plans.flatMap((plan) => plan.claims),
    edits: plans.flatMap((plan) => plan.edits),
    ops: plans.flatMap((plan) => plan.ops),
  };
}

const ADDS: Readonly<Record<string, true>> = { Add: true, AddV2: true, Sub: true, BiasAdd: true, BiasAddV1: true };

/** x + c: c is scaled as well, and takes the shift. x + y: both are scaled. */
function planAdd(view: FoldView, node: Node, want: Want, depth: number): Plan | Refusal {
  const added = affineOp(view, node);
  if (!added) return planSum(view, node, want, depth);
  const { shift } = added.affine;
  const axis = axisOf(shift);
  const rank = view.rankOf(added.x);
  const isVector = want.scale.length > 1;
  if (axis !== undefined && isVector && (axis !== want.axis || shift.values.length !== want.scale.length)) {
    return refusal(`what ${node.name} adds does not lie along the same channels`);
  }
  if (shift.shape.length > 1 && (rank === undefined || shift.shape.length > rank)) {
    return refusal(`what ${node.name} adds has more dimensions than its input is known to have`);
  }
  const addend = scaledShift(shift, want, axis === undefined && isVector ? want.axis : undefined);
  const problem = whyNotRepresentable(added.dtype, addend.values);
  if (problem) return refusal(problem);
  const inner = planBackward(view, added.x, node, { ...want, shift: undefined }, depth + 1);
  if (isRefusal(inner)) return inner;
  const edits = [...inner.edits, () => setAddend(view, added, addend)];
  return { ...inner, shiftTaken: want.shift !== undefined, edits };
}

/** What has to be added to the scaled tensor: `axis` is where the channels lie if `shift` is one number for all. */
function scaledShift(shift: Vector, want: Want, axis: number | undefined): Vector {
  const size = Math.max(shift.values.length, want.scale.length);
  const at = (values: Float64Array, i: number) => values[values.length === 1 ? 0 : i]!;
  const values = Float64Array.from({ length: size }, (_, i) => {
    return at(want.scale, i) * at(shift.values, i) + (want.shift ? at(want.shift, i) : 0);
  });
  return { shape: axis === undefined ? shift.shape : [size, ...new Array<number>(-axis - 1).fill(1)], values };
}

/** The sum of two tensors, neither of them constant. */
function planSum(view: FoldView, node: Node, want: Want, depth: number): Plan | Refusal {
  const [a, b] = node.inputs;
  if (!a || !b || node.inputs.length !== 2 || node.op.startsWith('BiasAdd')) {
    return refusal(`its input comes from ${node.name} (${node.op}), whose addend is not constant`);
  }
  const first = planBackward(view, a, node, want, depth + 1);
  if (isRefusal(first)) return first;
  const rest = { ...want, shift: first.shiftTaken ? undefined : want.shift };
  const second = planBackward(view, b, node, node.op === 'Sub' ? { ...rest, shift: undefined } : rest, depth + 1);
  if (isRefusal(second)) return second;
  return {
    ...merged([first, second]),
    shiftTaken: first.shiftTaken || (rest.shift !== undefined && second.shiftTaken),
  };
}
