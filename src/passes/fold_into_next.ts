import { choosePlans } from '../analysis/folding/choose_plans.js';
import type { FoldContext } from '../analysis/folding/context.js';
import { planIntoNext } from '../analysis/folding/plan_into_next.js';
import { isReason } from '../analysis/folding/reasons.js';
import { findSites, type Site, siteNames } from '../analysis/folding/sites.js';
import type { FoldPlan } from '../analysis/folding/steps.js';
import { viewOf } from '../analysis/folding/view.js';
import { applyPlans } from './edits/apply_plans.js';
import { type FoldOutcome, type FoldPass, foldedOutcomes, keptOutcomes } from './fold_outcome.js';

/**
 * Folds a batch norm that cannot be folded backward into the convolutions and matrix products that read it.
 *
 *     given:   x = Placeholder[shape=[?, 2]], s = [2.0, 3.0], t = [0.5, 1.0], n = AddV2(Mul(x, s), t)
 *              w = [[1.0], [2.0]], y = MatMul(n, w)
 *     result:  x = Placeholder[shape=[?, 2]], w = [[2.0], [6.0]], y/MatMul = MatMul(x, w)       # w * s
 *              y/bias = [2.5], y = BiasAdd(y/MatMul, y/bias)[data_format=NHWC]    # the sum of w * t
 *
 * Assumes: every consumer can absorb scale and shift, and none pads with zeros, which would have to pad with the shift.
 */
export const foldIntoNext: FoldPass = {
  name: 'fold_into_next',
  run(context) {
    const folded: FoldOutcome[] = [];
    for (;;) {
      const { chosen, kept } = foldOnce(context);
      if (chosen.length === 0) return { outcomes: [...folded, ...kept] };
      folded.push(...foldedOutcomes(chosen, 'next'));
    }
  },
};

/** Folds all sites that rely on different nodes; sites after a folded one are planned again. */
function foldOnce(context: FoldContext): { chosen: readonly FoldPlan[]; kept: readonly FoldOutcome[] } {
  const view = viewOf(context);
  const kept: FoldOutcome[] = [];
  const plans: FoldPlan[] = [];
  for (const site of findSites(view).filter(isWanted)) {
    const plan = planIntoNext(view, site);
    if (isReason(plan)) kept.push(...keptOutcomes(siteNames(site), plan));
    else plans.push(plan);
  }
  const { chosen, refused } = choosePlans(view, plans, context.duplicateWeights);
  for (const [{ names }, reason] of refused) kept.push(...keptOutcomes(names, reason));
  applyPlans(context, chosen);
  return { chosen, kept };
}

/** A single factor for all channels (preprocessing, say) is not folded. */
function isWanted({ batchNorms, affine }: Site): boolean {
  return batchNorms.length > 0 || affine.scale.values.length > 1;
}
