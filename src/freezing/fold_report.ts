import type { FoldContext } from '../analysis/folding/context.js';
import type { Cost } from '../analysis/folding/cost.js';
import type { FoldReason } from '../analysis/folding/reasons.js';
import { findSites } from '../analysis/folding/sites.js';
import { findUnfoldable } from '../analysis/folding/unfoldable.js';
import { viewOf } from '../analysis/folding/view.js';
import type { FoldOutcome } from '../passes/fold_outcome.js';
import type { FreezeReport } from './report.js';

/** The result for a batch norm (or for a product with a constant, which folds like one). */
export interface FoldedSite {
  /** Its node. */
  readonly name: string;
  /** The op of the batch norm; `decomposed` for arithmetic with a root, `arithmetic` for arithmetic without one. */
  readonly pattern: string;
  /** `previous`, `next`: folded into the kernels of preceding or following ops; `arithmetic`: became a Mul and an Add. */
  readonly action: 'previous' | 'next' | 'arithmetic' | 'kept';
  /** The nodes whose kernels it was folded into; for `arithmetic`, the ops that it became. */
  readonly into: readonly string[];
  /** Why it could not be folded (further). */
  readonly reasons: readonly FoldReason[];
}

/** What `fold` did, and what it saves. */
export interface FoldReport extends FreezeReport {
  /** The result for each batch norm. */
  readonly folded: readonly FoldedSite[];
  /** The cost of running the graph, before and after folding. */
  readonly cost: { readonly before: Cost; readonly after: Cost };
}

/** The sites of a graph by name, and the result for each so far. */
export class FoldedSites {
  readonly #sites = new Map<string, FoldedSite>();

  /** Adds the current sites of a graph; known sites keep their results. */
  find(context: FoldContext): void {
    const view = viewOf(context);
    for (const { batchNorms, last, affine } of findSites(view)) {
      for (const { name, pattern } of batchNorms) this.#add(name, pattern);
      const isProduct = affine.scale.values.some((x) => x !== 1);
      if (batchNorms.length === 0 && isProduct) this.#add(last.name, 'arithmetic');
    }
    for (const { name, pattern } of findUnfoldable(view)) this.#add(name, pattern);
  }

  /** Records what a pass did, and every reason against folding. */
  note(outcome: FoldOutcome): void {
    const site = this.#sites.get(outcome.site);
    if (!site) return;
    if (outcome.action === 'kept') {
      const isKnown = site.reasons.some((reason) => JSON.stringify(reason) === JSON.stringify(outcome.reason));
      if (site.action !== 'kept' || isKnown) return;
      this.#sites.set(site.name, { ...site, reasons: [...site.reasons, outcome.reason] });
    } else {
      const reasons = outcome.action === 'arithmetic' ? site.reasons : [];
      this.#sites.set(site.name, { ...site, action: outcome.action, into: outcome.into, reasons });
    }
  }

  /** The sites for the report: products with constants only if they were changed. */
  reported(): readonly FoldedSite[] {
    return [...this.#sites.values()].filter(({ pattern, action }) => pattern !== 'arithmetic' || action !== 'kept');
  }

  #add(name: string, pattern: string): void {
    if (!this.#sites.has(name)) this.#sites.set(name, { name, pattern, action: 'kept', into: [], reasons: [] });
  }
}
