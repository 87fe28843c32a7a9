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
 * Moves a batch norm that nothing before it can take into the convolutions and matrix products that read it.
 *
 *     given:   x = Placeholder[shape=[?, 2]], s = [2.0, 3.0], t = [0.5, 1.0], n = AddV2(Mul(x, s), t)
 *              w = [[1.0], [2.0]], y = MatMul(n, w)
 *     result:  x = Placeholder[shape=[?, 2]], w = [[2.0], [6.0]], y/MatMul = MatMul(x, w)       # w * s
 *              y/bias = [2.5], y = BiasAdd(y/MatMul, y/bias)[data_format=NHWC]    # the sum of w * t
 *
 * Assumes: everything that reads the result can take it, and nothing pads it with zeros, which would see the shift.
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

/** Folds all sites that rely on different nodes: what follows one that was folded is planned anew. */
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

/** One factor for all (a preprocessing, say) is left where it is. */
function isWanted({ batchNorms, affine }: Site): boolean {
  return batchNorms.length > 0 || affine.scale.values.length > 1;
}
