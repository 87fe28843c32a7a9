import { type FoldContext, NOTHING } from '../analysis/folding/context.js';
import { scaleKernels, unmetClaims } from '../analysis/folding/kernels.js';
import { type Planned, planSite } from '../analysis/folding/plan_site.js';
import { isRefusal, type Refusal } from '../analysis/folding/refusal.js';
import { findSites, multiplies, remarks, type Site } from '../analysis/folding/sites.js';
import { type FoldView, viewOf } from '../analysis/folding/view.js';
import { addition, biasAddition } from './edits/bias.js';
import { currentX, replaceSite } from './edits/site.js';
import type { Pass, Remark } from './pass.js';

/**
 * Multiplies what a batch norm scales by into the kernels of the convolutions and matrix products before it.
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
 * Assumes: parameters and kernels are constants. A kernel is scaled only if everything that sees its op's result, or the
 * kernel itself, wants it scaled so; anything else is left, with the reason.
 */
export const foldIntoPrevious: Pass<FoldContext> = {
  name: 'fold_into_previous',
  run(context) {
    const view = viewOf(context);
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
