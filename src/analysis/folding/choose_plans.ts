import { byConstant, whyNotInPlace } from './kernels.js';
import type { FoldReason } from './reasons.js';
import type { FoldPlan, ScaleKernel } from './steps.js';
import type { FoldView } from './view.js';

/**
 * Of plans made for the same graph, those that can be applied one after the other: each relies on nodes that none before
 * it does.
 */
export function independent(plans: readonly FoldPlan[]): FoldPlan[] {
  const taken = new Set<string>();
  return plans.filter(({ nodes }) => {
    if (nodes.some((node) => taken.has(node))) return false;
    for (const node of nodes) taken.add(node);
    return true;
  });
}

/** Which plans can be applied together, and which not, and why. */
export interface Choice {
  readonly chosen: readonly FoldPlan[];
  readonly refused: ReadonlyMap<FoldPlan, FoldReason>;
  /** Plans that rely on what a chosen one changes: to be made anew when that is done. */
  readonly postponed: readonly FoldPlan[];
}

/** Chooses plans that can be applied together: kernels are scaled in place, or may be written twice. */
export function choosePlans(view: FoldView, plans: readonly FoldPlan[], duplicateWeights: boolean): Choice {
  const refused = new Map<FoldPlan, FoldReason>();
  // A plan that is given up may leave a kernel half scaled, and makes room for another one: until nothing is new.
  for (;;) {
    const open = plans.filter((plan) => !refused.has(plan));
    const chosen = independent(open);
    if (!duplicateWeights) refuseShared(view, chosen, refused);
    if (!chosen.some((plan) => refused.has(plan))) {
      return { chosen, refused, postponed: open.filter((plan) => !chosen.includes(plan)) };
    }
  }
}

/** Notes why plans cannot scale kernels in place. */
function refuseShared(view: FoldView, plans: readonly FoldPlan[], refused: Map<FoldPlan, FoldReason>): void {
  const groups = byConstant(plans);
  for (const [kernel, group] of groups) {
    const reason = whyNotInPlace(view, kernel, group);
    if (!reason) continue;
    for (const plan of plans)
      if (plan.steps.some((step) => group.includes(step as ScaleKernel))) refused.set(plan, reason);
  }
}
