import { axisOf, type Vector } from '../values/vectors.js';
import { isZeros } from './affine.js';
import { type Plan, planBackward } from './backward.js';
import { linearOp } from './linear_ops.js';
import { whyNotRepresentable } from './range.js';
import { isRefusal, type Refusal, refusal } from './refusal.js';
import { rankOfSite, type Site } from './sites.js';
import type { FoldView } from './view.js';

/** How a site is folded into what comes before it. */
export interface Planned {
  readonly site: Site;
  readonly plan: Plan;
  /** What is left to add in place of the site: along an axis, or (without one) the same everywhere. */
  readonly bias: { readonly axis: number | undefined; readonly values: Float64Array } | undefined;
}

/** How a site can be folded into what comes before it. */
export function planSite(view: FoldView, site: Site): Planned | Refusal {
  const { affine, members, x } = site;
  const first = members[0]!.node;
  const { scale, shift } = affine;
  const unsound = whyNotRepresentable(site.dtype, scale.values, shift.values);
  if (unsound) return refusal(unsound, true);
  const axis = axisOf(scale) ?? axisOf(shift) ?? -1;
  const depth = Math.max(scale.shape.length, shift.shape.length);
  const rank = rankOfSite(view, site);
  if (depth > 1 && (rank === undefined || rank < depth)) return refusal('the rank of its input is not known');
  const size = Math.max(scale.values.length, shift.values.length);
  const spread = ({ values }: Vector) => (values.length === size ? values : new Float64Array(size).fill(values[0]!));
  const want = { site: site.last.name, axis, scale: spread(scale) };
  // Behind the op itself, the site becomes its bias.
  const isDirect = linearOp(view, view.graph.get(x.node)) !== undefined;
  const moves = isZeros(shift) || isDirect ? undefined : spread(shift);
  const plan = planBackward(view, x, first, { ...want, shift: moves });
  if (isRefusal(plan)) return plan;
  if (isZeros(shift) || plan.shiftTaken) return { site, plan, bias: undefined };
  const [op] = plan.ops;
  const isScalar = size === 1;
  if (isDirect && isScalar) {
    const bias = new Float64Array(op!.channels!).fill(shift.values[0]!);
    return { site, plan, bias: { axis: op!.axis, values: bias } };
  }
  return { site, plan, bias: { axis: isScalar ? undefined : axis, values: spread(shift) } };
}
