import { dtypeName } from '../../graph/dtype.js';
import { type Vector, zip } from '../values/vectors.js';
import { isOnes, isZeros } from './affine.js';
import { biasOp } from './bias.js';
import { linearOp } from './linear_ops.js';
import { planIntoPrevious } from './plan_into_previous.js';
import { whyNotRepresentable } from './range.js';
import { type FoldReason, isReason, mustStay } from './reasons.js';
import { planOf } from './site_plan.js';
import { isSteady, type Site } from './sites.js';
import type { FoldPlan, VectorOp } from './steps.js';
import type { FoldView } from './view.js';

/** A site as one Mul and one Add; undefined if that would not be cheaper. */
export function planMulAdd(view: FoldView, site: Site): FoldPlan | FoldReason | undefined {
  const ops = productAndSum(site);
  if (isReason(ops)) return ops;
  if (ops.length >= site.cost) return undefined;
  if (site.batchNorms.length > 0) {
    const plan = planIntoPrevious(view, site);
    if (isReason(plan) && mustStay(plan)) return plan;
  }
  const by = ops.map((op, i) => (i === 0 && op.op === 'Add' ? sumBehind(view, site, op.by) : op));
  return planOf(site, { steps: [], by, into: ops.map(({ op }) => op), nodes: [] });
}

function productAndSum(site: Site): readonly VectorOp[] | FoldReason {
  const { affine, dtype, members } = site;
  const { scale, shift } = affine;
  const unsound = whyNotRepresentable(dtype, scale.values, shift.values);
  if (unsound) return unsound;
  if (members.some(({ widens }) => widens)) return { code: 'computed_in_float32', dtype: dtypeName(dtype) };
  const mul: readonly VectorOp[] = isOnes(scale) ? [] : [{ op: 'Mul', by: scale }];
  if (isZeros(shift)) return mul;
  if (mul.length === 0 || isSteady(site)) return [...mul, { op: 'Add', by: shift }];
  // If means are large, the sum comes first, as in the batch norm.
  const before = zip(shift, scale, (b, a) => b / a);
  if (before && !whyNotRepresentable(dtype, before.values)) return [{ op: 'Add', by: before }, ...mul];
  return { code: 'large_means', zeroScale: true };
}

/** Directly after a convolution, a sum is its bias. */
function sumBehind(view: FoldView, { x }: Site, by: Vector): VectorOp {
  const op = linearOp(view, view.graph.get(x.node));
  const isBias = op?.channels === by.values.length && by.shape.length === -op.axis;
  return op && isBias ? biasOp(view, x, op.axis, by.values) : { op: 'Add', by };
}
