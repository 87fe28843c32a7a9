import type { FoldContext } from '../analysis/folding/context.js';
import type { FoldReason } from '../analysis/folding/reasons.js';
import type { FoldPlan } from '../analysis/folding/steps.js';
import type { Pass } from './pass.js';

/** What a pass did with one batch norm (or a product that folds like one), or why it left it. */
export type FoldOutcome =
  /** It was folded into the kernels of the ops `into`, before or after it; or it became the ops `into`. */
  | {
      readonly kind: 'fold';
      readonly site: string;
      readonly action: 'previous' | 'next' | 'arithmetic';
      readonly into: readonly string[];
    }
  | { readonly kind: 'fold'; readonly site: string; readonly action: 'kept'; readonly reason: FoldReason };

/** A pass of `fold`: it plans its changes on the current graph (`analysis/folding`). */
export type FoldPass = Pass<FoldContext, FoldOutcome>;

/** The outcomes of plans that were applied. */
export function foldedOutcomes(plans: readonly FoldPlan[], action: 'previous' | 'next' | 'arithmetic'): FoldOutcome[] {
  return plans.flatMap(({ names, into }) => names.map((site) => ({ kind: 'fold' as const, site, action, into })));
}

/** The outcomes of batch norms that are left for one reason. */
export function keptOutcomes(names: readonly string[], reason: FoldReason): FoldOutcome[] {
  return names.map((site) => ({ kind: 'fold', site, action: 'kept', reason }));
}
