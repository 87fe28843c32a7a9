import { DECOMPOSED } from './affine.js';
import { planForward } from './plan_forward.js';
import { whyNotRepresentable } from './range.js';
import { type FoldReason, isReason } from './reasons.js';
import { planOf, spread } from './site_plan.js';
import { isSteady, rankOfSite, type Site } from './sites.js';
import type { FoldPlan } from './steps.js';
import type { FoldView } from './view.js';

/** How a site can be folded into its consumers. */
export function planIntoNext(view: FoldView, site: Site): FoldPlan | FoldReason {
  const { scale, shift } = site.affine;
  const unsound = whyNotRepresentable(site.dtype, scale.values, shift.values);
  if (unsound) return unsound;
  if (!isSteady(site)) return { code: 'large_means', zeroScale: false };
  const depth = Math.max(scale.shape.length, shift.shape.length);
  const rank = rankOfSite(view, site);
  if (rank === undefined || rank < depth) return { code: 'rank_unknown' };
  const channels = spread(site.affine);
  const size = channels.scale.length;
  // A constant must not broadcast its operand.
  const isFused = site.batchNorms.some(({ pattern }) => pattern !== DECOMPOSED);
  if (!isFused && size > 1 && view.shapeOf(site.x)?.at(channels.axis) !== size) {
    return { code: 'channels_unknown', node: site.x.node };
  }
  const met = planForward(view, { node: site.last.name, port: 0 }, { ...channels, stride: 1 });
  if (isReason(met)) return met;
  const into = met.ops.map(({ node }) => node.name);
  return planOf(site, { steps: met.steps, by: [], into, nodes: [site.x.node, ...met.nodes] });
}
