import { isZeros } from './folding/affine.js';
import { type Plan, planBackward } from './folding/backward.js';
import { axisOf, type Vector } from './folding/constants.js';
import { type FoldContext, NOTHING } from './folding/context.js';
import { addition, biasAddition } from './folding/edits.js';
import { scaleKernels, unmetClaims } from './folding/kernels.js';
import { linearOp } from './folding/linear_ops.js';
import { unfit } from './folding/range.js';
import { isRefusal, type Refusal, refusal } from './folding/refusal.js';
import { currentX, replaceSite } from './folding/rewrite.js';
import { findSites, multiplies, type Site } from './folding/sites.js';
import { FoldView } from './folding/view.js';
import type { Pass, Remark } from './pass.js';

/**
 * Multiplies what a batch norm scales by into the kernels of the convolutions and matrix products before it.
 *
 *     given:   c = Conv2D(x, w), b = BiasAdd(c, d), y = FusedBatchNorm(b, gamma, beta, mean, variance)
 *     result:  c = Conv2D(x, w * s), y = BiasAdd(c, s * (d - mean) + beta), where s = gamma / sqrt(variance + epsilon)
 *
 * Assumes: parameters and kernels are constants. A kernel is scaled only if everything that sees its op's result, or the
 * kernel itself, wants it scaled so; anything else is left, with the reason.
 */
export const foldIntoPrevious: Pass<FoldContext> = {
  name: 'fold_into_previous',
  run(context) {
    const view = new FoldView(context);
    const changed: Remark[] = [];
    const skipped: Remark[] = [];
    const planned: Planned[] = [];
    const say = (site: Site, { why }: Refusal) => skipped.push(...remarks(site, why));
    for (const site of findSites(view)) {
      if (!multiplies(site)) continue;
      const plan = planSite(view, site);
      if (isRefusal(plan)) say(site, plan);
      else planned.push(plan);
    }
    const claims = planned.flatMap(({ plan }) => plan.claims);
    const unmet = unmetClaims(view, claims, context.duplicateWeights);
    const met = planned.filter(({ site }) => !unmet.has(site.last.name));
    for (const { site } of planned) if (unmet.has(site.last.name)) say(site, unmet.get(site.last.name)!);
    if (met.length === 0) return { ...NOTHING, skipped };
    scaleKernels(
      view,
      met.flatMap(({ plan }) => plan.claims),
    );
    for (const each of met) {
      apply(view, each);
      const into = each.plan.ops.map(({ node }) => node.name).join(', ');
      changed.push(...remarks(each.site, `folded into ${into}`));
    }
    return { changed, skipped };
  },
};

interface Planned {
  readonly site: Site;
  readonly plan: Plan;
  /** What is left to add in place of the site: along an axis, or (without one) the same everywhere. */
  readonly bias: { readonly axis: number | undefined; readonly values: Float64Array } | undefined;
}

/** A remark for each batch norm of a site; for arithmetic, for its last op. */
export function remarks({ batchNorms, last }: Site, text: string): Remark[] {
  const names = batchNorms.length > 0 ? batchNorms.map(({ name }) => name) : [last.name];
  return names.map((node) => ({ node, text }));
}

/** How a site can be folded into what comes before it. */
export function planSite(view: FoldView, site: Site): Planned | Refusal {
  const { affine, members, x } = site;
  const first = members[0]!.node;
  const { scale, shift } = affine;
  const unsound = unfit(site.dtype, scale.values, shift.values);
  if (unsound) return refusal(unsound, true);
  const axis = axisOf(scale) ?? axisOf(shift) ?? -1;
  const depth = Math.max(scale.shape.length, shift.shape.length);
  const rank = view.rankOf(x);
  if (depth > 1 && (rank === undefined || rank < depth)) return refusal('the rank of its input is not known');
  const size = Math.max(scale.values.length, shift.values.length);
  const spread = ({ values }: Vector) => (values.length === size ? values : new Float64Array(size).fill(values[0]!));
  const want = { site: site.last.name, axis, scale: spread(scale) };
  // Behind the op itself, the site becomes its bias.
  const isDirect = linearOp(view, view.graph.get(x.node)) !== undefined;
  const moves = isZeros(shift) || isDirect ? undefined : spread(shift);
  const plan = planBackward(view, x, first, { ...want, shift: moves });
  if (isRefusal(plan)) return plan;
  if (isZeros(shift) || plan.shiftTaken) return { site, plan, bias: undefined };
  const [op] = plan.ops;
  const isScalar = size === 1;
  if (isDirect && isScalar) {
    const bias = new Float64Array(op!.channels!).fill(shift.values[0]!);
    return { site, plan, bias: { axis: op!.axis, values: bias } };
  }
  return { site, plan, bias: { axis: isScalar ? undefined : axis, values: spread(shift) } };
}

function apply(view: FoldView, { site, plan, bias }: Planned): void {
  for (const edit of plan.edits) edit();
  if (!bias) {
    replaceSite(view, site, undefined);
    return;
  }
  const x = currentX(site);
  const { axis, values } = bias;
  const spec =
    axis === undefined
      ? addition(view, x, { shape: site.affine.shift.shape, values }, site.last)
      : biasAddition(view, x, values, axis, site.last);
  replaceSite(view, site, spec);
}
