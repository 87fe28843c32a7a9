import { DECOMPOSED, isZeros } from '../analysis/folding/affine.js';
import type { Plan } from '../analysis/folding/backward.js';
import type { FoldContext } from '../analysis/folding/context.js';
import { planForward } from '../analysis/folding/forward.js';
import { scaleKernels, unmetClaims } from '../analysis/folding/kernels.js';
import { whyNotRepresentable } from '../analysis/folding/range.js';
import { isRefusal, type Refusal, refusal } from '../analysis/folding/refusal.js';
import { findSites, isSteady, rankOfSite, remarks, type Site } from '../analysis/folding/sites.js';
import { type FoldView, viewOf } from '../analysis/folding/view.js';
import { axisOf, type Vector } from '../analysis/values/vectors.js';
import { NodeSet } from '../graph/node_set.js';
import { replaceSite } from './edits/site.js';
import type { Pass, Remark } from './pass.js';

/**
 * Moves a batch norm that nothing before it can take into the convolutions and matrix products that read it.
 *
 *     given:   x = Placeholder[shape=[?, 2]], s = [2.0, 3.0], t = [0.5, 1.0], n = AddV2(Mul(x, s), t)
 *              w = [[1.0], [2.0]], y = MatMul(n, w)
 *     result:  x = Placeholder[shape=[?, 2]], w = [[2.0], [6.0]], y/MatMul = MatMul(x, w)       # w * s
 *              y/MatMul/bias = [2.5], y = BiasAdd(y/MatMul, y/MatMul/bias)[data_format=NHWC]    # the sum of w * t
 *
 * Assumes: everything that reads the result can take it, and nothing pads it with zeros, which would see the shift.
 */
export const foldIntoNext: Pass<FoldContext> = {
  name: 'fold_into_next',
  run(context) {
    const changed: Remark[] = [];
    for (;;) {
      const { folded, skipped } = foldOnce(context);
      if (folded.length === 0) return { changed, skipped };
      changed.push(...folded);
    }
  },
};

/** Folds all sites that have nothing to do with each other: what lies behind one that was folded is looked at anew. */
function foldOnce(context: FoldContext): { folded: Remark[]; skipped: Remark[] } {
  const view = viewOf(context);
  const folded: Remark[] = [];
  const skipped: Remark[] = [];
  /** The nodes of sites that were folded, and what they were folded into. */
  const touched = new NodeSet(context.graph);
  for (const site of findSites(view)) {
    const x = view.graph.find(site.x.node);
    const own = site.members.map(({ node }) => node);
    if (!isWanted(site) || !x || touched.has(x) || own.some((node) => touched.has(node))) continue;
    const plan = planSite(view, site, context.duplicateWeights);
    if (isRefusal(plan)) {
      skipped.push(...remarks(site, plan.why));
      continue;
    }
    const others = [...plan.ops.map(({ node }) => node), ...plan.claims.map(({ constant }) => constant)];
    if (others.some((node) => touched.has(node))) continue;
    for (const node of [x, ...own, ...others]) touched.add(node);
    const into = plan.ops.map(({ node }) => node.name).join(', ');
    folded.push(...remarks(site, `folded into ${into}, which follows`));
    scaleKernels(view, plan.claims);
    for (const edit of plan.edits) edit();
    replaceSite(view, site, undefined);
  }
  return { folded, skipped };
}

/** One factor for all (a preprocessing, say) is left where it is. */
function isWanted({ batchNorms, affine }: Site): boolean {
  return batchNorms.length > 0 || affine.scale.values.length > 1;
}

function planSite(view: FoldView, site: Site, duplicateWeights: boolean): Plan | Refusal {
  const { scale, shift } = site.affine;
  const unsound = whyNotRepresentable(site.dtype, scale.values, shift.values);
  if (unsound) return refusal(unsound, true);
  if (!isSteady(site)) return refusal('its means are so large that digits would be lost');
  const size = Math.max(scale.values.length, shift.values.length);
  const spread = ({ values }: Vector) => (values.length === size ? values : new Float64Array(size).fill(values[0]!));
  const depth = Math.max(scale.shape.length, shift.shape.length);
  const rank = rankOfSite(view, site);
  const axis = axisOf(scale) ?? axisOf(shift) ?? -1;
  if (rank === undefined || rank < depth) return refusal('the rank of its input is not known');
  // A constant must not widen what it is multiplied with.
  const channels = view.shapeOf(site.x)?.at(axis) ?? -1;
  const isFused = site.batchNorms.some(({ form }) => form !== DECOMPOSED);
  if (!isFused && channels !== size && size > 1) return refusal('the number of its channels is not known');
  const flow = { site: site.last.name, axis, stride: 1, scale: spread(scale) };
  const moved = isZeros(shift) ? undefined : spread(shift);
  const plan = planForward(view, { node: site.last.name, port: 0 }, { ...flow, shift: moved });
  if (isRefusal(plan)) return plan;
  return unmetClaims(view, plan.claims, duplicateWeights).get(site.last.name) ?? plan;
}
