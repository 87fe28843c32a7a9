import { choosePlans } from '../analysis/folding/choose_plans.js';
import type { FoldContext } from '../analysis/folding/context.js';
import { planIntoPrevious } from '../analysis/folding/plan_into_previous.js';
import { isReason } from '../analysis/folding/reasons.js';
import { findSites, multiplies, siteNames } from '../analysis/folding/sites.js';
import type { FoldPlan } from '../analysis/folding/steps.js';
import { viewOf } from '../analysis/folding/view.js';
import { applyPlans } from './edits/apply_plans.js';
import { type FoldOutcome, type FoldPass, foldedOutcomes, keptOutcomes } from './fold_outcome.js';

/**
 * Multiplies the scale of a batch norm into the kernels of the preceding convolutions and matrix products.
 *
 *     given:   w = [[[[1.0, 2.0]]]], c = Conv2D(x, w)[padding=SAME, strides=[1, 1, 1, 1]]
 *              d = [3.0, 5.0], b = BiasAdd(c, d)
 *              gamma = [4.0, 9.0], beta = [0.5, 0.5], mean = [1.0, 1.0], variance = [4.0, 9.0]
 *              y = FusedBatchNormV3(b, gamma, beta, mean, variance)[epsilon=0.0, is_training=false]
 *     result:  w = [[[[2.0, 6.0]]]]       # w * s, where s = gamma / sqrt(variance + epsilon)
 *              c = Conv2D(x, w)[padding=SAME, strides=[1, 1, 1, 1]]
 *              y/bias = [4.5, 12.5]       # s * (d - mean) + beta
 *              y = BiasAdd(c, y/bias)[data_format=NHWC]
 *
 * Assumes: parameters and kernels are constants. A kernel is scaled only if every consumer of its op's result, and of the
 * kernel itself, needs that scale; other batch norms are left, with the reason.
 */
export const foldIntoPrevious: FoldPass = {
  name: 'fold_into_previous',
  run(context) {
    const folded: FoldOutcome[] = [];
    for (;;) {
      const { chosen, kept, isDone } = foldOnce(context);
      folded.push(...foldedOutcomes(chosen, 'previous'));
      if (isDone) return { outcomes: [...folded, ...kept] };
    }
  },
};

interface Round {
  readonly chosen: readonly FoldPlan[];
  readonly kept: readonly FoldOutcome[];
  /** Whether no plan is waiting for the changes of this round. */
  readonly isDone: boolean;
}

/** Folds all sites that rely on different nodes. */
function foldOnce(context: FoldContext): Round {
  const view = viewOf(context);
  const kept: FoldOutcome[] = [];
  const plans: FoldPlan[] = [];
  for (const site of findSites(view).filter(multiplies)) {
    const plan = planIntoPrevious(view, site);
    if (isReason(plan)) kept.push(...keptOutcomes(siteNames(site), plan));
    else plans.push(plan);
  }
  const { chosen, refused, postponed } = choosePlans(view, plans, context.duplicateWeights);
  for (const [{ names }, reason] of refused) kept.push(...keptOutcomes(names, reason));
  applyPlans(context, chosen);
  return { chosen, kept, isDone: postponed.length === 0 };
}
