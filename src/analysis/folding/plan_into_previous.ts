import { biasOp } from './bias.js';
import { linearOp } from './linear_ops.js';
import { planBackward } from './plan_backward.js';
import { whyNotRepresentable } from './range.js';
import { type FoldReason, isReason } from './reasons.js';
import { planOf, spread } from './site_plan.js';
import { rankOfSite, type Site } from './sites.js';
import type { FoldPlan, VectorOp } from './steps.js';
import type { FoldView } from './view.js';

/** How a site can be folded into preceding ops. */
export function planIntoPrevious(view: FoldView, site: Site): FoldPlan | FoldReason {
  const { affine, members, x } = site;
  const { scale, shift } = affine;
  const unsound = whyNotRepresentable(site.dtype, scale.values, shift.values);
  if (unsound) return unsound;
  const depth = Math.max(scale.shape.length, shift.shape.length);
  const rank = rankOfSite(view, site);
  if (depth > 1 && (rank === undefined || rank < depth)) return { code: 'rank_unknown' };
  const channels = spread(affine);
  // Directly after the op, the site becomes its bias.
  const isDirect = linearOp(view, view.graph.get(x.node)) !== undefined;
  const required = { ...channels, shift: isDirect ? undefined : channels.shift };
  const met = planBackward(view, x, members[0]!.node, required);
  if (isReason(met)) return met;
  const isDone = channels.shift === undefined || met.shiftTaken;
  const [op] = met.ops;
  const by = isDone ? [] : [biasOfSite(view, site, isDirect ? { axis: op!.axis, channels: op!.channels! } : undefined)];
  return planOf(site, { steps: met.steps, by, into: met.ops.map(({ node }) => node.name), nodes: met.nodes });
}

/** The remaining addition in place of a site whose scale was folded. @param direct - the op that it follows */
function biasOfSite(
  view: FoldView,
  site: Site,
  direct: { readonly axis: number; readonly channels: number } | undefined,
): VectorOp {
  const { axis, scale, shift } = spread(site.affine);
  if (scale.length > 1) return biasOp(view, site.x, axis, shift!);
  if (!direct) return { op: 'Add', by: site.affine.shift };
  return biasOp(view, site.x, direct.axis, new Float64Array(direct.channels).fill(shift![0]!));
}
