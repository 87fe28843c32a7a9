import type { ChannelScale } from '../../ops/channel_rules/rule.js';
import { axisOf, type Vector } from '../values/vectors.js';
import { isZeros } from './affine.js';
import type { Affine } from './affine_op.js';
import { type Site, siteNames } from './sites.js';
import type { FoldPlan, ReplaceSite } from './steps.js';

/** The scale and shift of a site, per channel or one number for all; no shift if it is zero. */
export function spread({ scale, shift }: Affine): ChannelScale {
  const size = Math.max(scale.values.length, shift.values.length);
  const all = ({ values }: Vector) => (values.length === size ? values : new Float64Array(size).fill(values[0]!));
  return {
    axis: axisOf(scale) ?? axisOf(shift) ?? -1,
    scale: all(scale),
    shift: isZeros(shift) ? undefined : all(shift),
  };
}

/** The plan that applies the steps, and replaces the site by the ops `by`. */
export function planOf(
  site: Site,
  plan: Pick<FoldPlan, 'steps' | 'into' | 'nodes'> & Pick<ReplaceSite, 'by'>,
): FoldPlan {
  const { last, dtype, members } = site;
  const own = members.map(({ node }) => node.name);
  const replace: ReplaceSite = {
    kind: 'replace_site',
    members: own,
    input: 1 - members[0]!.operand,
    dtype,
    by: plan.by,
  };
  return {
    site: last.name,
    names: siteNames(site),
    steps: [...plan.steps, replace],
    into: plan.into,
    nodes: [...own, ...plan.nodes],
  };
}
