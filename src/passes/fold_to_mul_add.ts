import { planMulAdd } from '../analysis/folding/plan_mul_add.js';
import { type FoldReason, isReason } from '../analysis/folding/reasons.js';
import { findSites, type Site, siteNames } from '../analysis/folding/sites.js';
import type { FoldPlan } from '../analysis/folding/steps.js';
import { findUnfoldable } from '../analysis/folding/unfoldable.js';
import { viewOf } from '../analysis/folding/view.js';
import { anyOf } from '../ops/meaning.js';
import { applyPlans } from './edits/apply_plans.js';
import { type FoldOutcome, type FoldPass, foldedOutcomes, keptOutcomes } from './fold_outcome.js';

/**
 * Replaces batch norms that could not be folded by one Mul and one Add, and merges neighbouring constants of either.
 *
 *     given:   gamma = [4.0, 9.0], beta = [0.5, 0.5], mean = [1.0, 1.0], variance = [4.0, 9.0]
 *              y = FusedBatchNormV3(x, gamma, beta, mean, variance)[epsilon=0.0, is_training=false]
 *     result:  y/scale = [2.0, 3.0], y/mul = Mul(x, y/scale)              # s = gamma / sqrt(variance + epsilon)
 *              y/shift = [-1.5, -2.5], y = Add(y/mul, y/shift)            # beta - mean * s
 *
 * If means are large, the sum comes first, as in the batch norm: Mul(Add(x, t), s) loses no digits.
 *
 * Assumes: parameters are constants. Changes only what becomes cheaper; a fused batch norm stays one op if the context says so.
 */
export const foldToMulAdd: FoldPass = {
  name: 'fold_to_mul_add',
  run(context) {
    const view = viewOf(context);
    const kept: FoldOutcome[] = [];
    const plans: FoldPlan[] = [];
    for (const site of findSites(view)) {
      const plan = context.keepsFused && isOneOp(site) ? ONE_OP : planMulAdd(view, site);
      if (plan && isReason(plan)) kept.push(...keptOutcomes(siteNames(site), plan));
      else if (plan) plans.push(plan);
    }
    for (const { name, reason } of findUnfoldable(view)) kept.push(...keptOutcomes([name], reason));
    applyPlans(context, plans);
    return { outcomes: [...foldedOutcomes(plans, 'arithmetic'), ...kept] };
  },
};

const ONE_OP: FoldReason = { code: 'one_op_for_target' };

const isFused = anyOf('fused_batch_norm');

function isOneOp({ members }: Site): boolean {
  return members.length === 1 && isFused(members[0]!.node);
}
