import { byConstant, whyNotInPlace } from './kernels.js';
import type { FoldReason } from './reasons.js';
import type { FoldPlan, ScaleKernel } from './steps.js';
import type { FoldView } from './view.js';

/**
 * Selects plans, made for the same graph, that can be applied one after the other: no two rely on the same node.
 */
export function independent(plans: readonly FoldPlan[]): FoldPlan[] {
  const taken = new Set<string>();
  return plans.filter(({ nodes }) => {
    if (nodes.some((node) => taken.has(node))) return false;
    for (const node of nodes) taken.add(node);
    return true;
  });
}

/** Which plans can be applied together, and why others cannot. */
export interface Choice {
  readonly chosen: readonly FoldPlan[];
  readonly refused: ReadonlyMap<FoldPlan, FoldReason>;
  /** Plans that rely on nodes that a chosen plan changes: make them again afterwards. */
  readonly postponed: readonly FoldPlan[];
}

/** Chooses plans that can be applied together: kernels are scaled in place, or copied if allowed. */
export function choosePlans(view: FoldView, plans: readonly FoldPlan[], duplicateWeights: boolean): Choice {
  const refused = new Map<FoldPlan, FoldReason>();
  // Rejecting a plan may leave a kernel half scaled, and may make another plan possible: repeat until nothing changes.
  for (;;) {
    const open = plans.filter((plan) => !refused.has(plan));
    const chosen = independent(open);
    if (!duplicateWeights) refuseShared(view, chosen, refused);
    if (!chosen.some((plan) => refused.has(plan))) {
      return { chosen, refused, postponed: open.filter((plan) => !chosen.includes(plan)) };
    }
  }
}

/** Records why plans cannot scale kernels in place. */
function refuseShared(view: FoldView, plans: readonly FoldPlan[], refused: Map<FoldPlan, FoldReason>): void {
  const groups = byConstant(plans);
  for (const [kernel, group] of groups) {
    const reason = whyNotInPlace(view, kernel, group);
    if (!reason) continue;
    for (const plan of plans)
      if (plan.steps.some((step) => group.includes(step as ScaleKernel))) refused.set(plan, reason);
  }
}
