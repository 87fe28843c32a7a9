import { isOnes, isZeros } from '../analysis/folding/affine.js';
import type { FoldContext } from '../analysis/folding/context.js';
import { linearOp } from '../analysis/folding/linear_ops.js';
import { planSite } from '../analysis/folding/plan_site.js';
import { whyNotRepresentable } from '../analysis/folding/range.js';
import { isRefusal, type Refusal, refusal } from '../analysis/folding/refusal.js';
import { findSites, findUnfoldable, isSteady, remarks, type Site } from '../analysis/folding/sites.js';
import { type FoldView, viewOf } from '../analysis/folding/view.js';
import { type Vector, zip } from '../analysis/values/vectors.js';
import { dtypeName } from '../graph/dtype.js';
import type { NodeSpec, TensorRef } from '../graph/node.js';
import { addition, biasAddition, product } from './edits/bias.js';
import { currentX, replaceSite } from './edits/site.js';
import type { Pass, Remark } from './pass.js';

/**
 * Makes what could be folded nowhere one Mul and one Add, and merges neighbouring constants of either.
 *
 *     given:   gamma = [4.0, 9.0], beta = [0.5, 0.5], mean = [1.0, 1.0], variance = [4.0, 9.0]
 *              y = FusedBatchNormV3(x, gamma, beta, mean, variance)[epsilon=0.0, is_training=false]
 *     result:  y/scale = [2.0, 3.0], y/mul = Mul(x, y/scale)              # s = gamma / sqrt(variance + epsilon)
 *              y/shift = [-1.5, -2.5], y = Add(y/mul, y/shift)            # beta - mean * s
 *
 * Where means are large, the sum comes first, as in the batch norm: Mul(Add(x, t), s) loses no digits.
 *
 * Assumes: parameters are constants. Nothing is changed that would not become cheaper.
 */
export const foldToMulAdd: Pass<FoldContext> = {
  name: 'fold_to_mul_add',
  run(context) {
    const changed: Remark[] = [];
    const skipped: Remark[] = [];
    const view = viewOf(context);
    for (const site of findSites(view)) {
      const form = chooseForm(site);
      if (isRefusal(form)) {
        skipped.push(...remarks(site, form.why));
        continue;
      }
      if (form.length >= site.cost) continue;
      const plan = site.batchNorms.length > 0 ? planSite(view, site) : undefined;
      if (plan && isRefusal(plan) && plan.keep) {
        skipped.push(...remarks(site, plan.why));
        continue;
      }
      write(view, site, form);
      const ops = form.map(({ op }) => op).join(' and ') || 'nothing';
      changed.push(...remarks(site, `became ${ops}`));
    }
    for (const { name, refusal } of findUnfoldable(view)) skipped.push({ node: name, text: refusal.why });
    return { changed, skipped };
  },
};

interface Step {
  readonly op: 'Mul' | 'Add';
  readonly by: Vector;
}

function chooseForm(site: Site): readonly Step[] | Refusal {
  const { affine, dtype, members } = site;
  const { scale, shift } = affine;
  const unsound = whyNotRepresentable(dtype, scale.values, shift.values);
  if (unsound) return refusal(unsound);
  if (members.some(({ widens }) => widens)) {
    return refusal(`it computes in float32 what it stores in ${dtypeName(dtype)}: Mul and Add would round more often`);
  }
  const mul: readonly Step[] = isOnes(scale) ? [] : [{ op: 'Mul', by: scale }];
  if (isZeros(shift)) return mul;
  const productFirst: readonly Step[] = [...mul, { op: 'Add', by: shift }];
  if (mul.length === 0 || isSteady(site)) return productFirst;
  const before = zip(shift, scale, (b, a) => b / a);
  if (before && !whyNotRepresentable(dtype, before.values)) return [{ op: 'Add', by: before }, ...mul];
  return refusal('its means are so large, and a scale is 0, that Mul and Add would lose digits');
}

function write(view: FoldView, site: Site, form: readonly Step[]): void {
  const { last } = site;
  let x = currentX(site);
  let spec: Omit<NodeSpec, 'name'> | undefined;
  for (const { op, by } of form) {
    if (spec) {
      const step = view.graph.freeName(`${last.name}/${spec.op.toLowerCase()}`);
      x = { node: view.graph.add({ ...spec, name: step }).name, port: 0 };
    }
    spec = op === 'Mul' ? product(view, x, by, last) : sum(view, site, x, by);
  }
  replaceSite(view, site, spec);
}

/** Directly behind a convolution, a sum is its bias. */
function sum(view: FoldView, site: Site, x: TensorRef, by: Vector) {
  const op = linearOp(view, view.graph.get(x.node));
  const isBias = op?.channels === by.values.length && by.shape.length === -op.axis;
  return op && isBias ? biasAddition(view, x, by.values, op.axis, site.last) : addition(view, x, by, site.last);
}
