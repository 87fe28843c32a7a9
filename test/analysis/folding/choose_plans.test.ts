import { describe, expect, it } from 'vitest';
import { choosePlans, independent } from '../../../src/analysis/folding/choose_plans.js';
import { planIntoPrevious } from '../../../src/analysis/folding/plan_into_previous.js';
import { isReason } from '../../../src/analysis/folding/reasons.js';
import { findSites } from '../../../src/analysis/folding/sites.js';
import type { FoldPlan } from '../../../src/analysis/folding/steps.js';
import { FoldView } from '../../../src/analysis/folding/view.js';
import { parseGraph } from '../../../src/notation/parse.js';

const plan = (site: string, ...nodes: string[]): FoldPlan => ({ site, names: [site], steps: [], into: [], nodes });

describe('independent', () => {
  it('takes plans in order, each with nodes of its own', () => {
    const plans = [plan('a', 'a', 'conv'), plan('b', 'b', 'conv'), plan('c', 'c')];
    expect(independent(plans).map(({ site }) => site)).toEqual(['a', 'c']);
  });

  it('is not kept from a node by a plan that is not taken', () => {
    const plans = [plan('a', 'a', 'x'), plan('b', 'x', 'y'), plan('c', 'y')];
    expect(independent(plans).map(({ site }) => site)).toEqual(['a', 'c']);
  });
});

/** Batch norms of one channel, each behind a convolution. */
function choose(text: string, duplicateWeights: boolean) {
  const graph = parseGraph(`x = Placeholder[shape=[?, 4, 4, 1]]\nw = [[[[1.0]]]]\n${text}`);
  const view = new FoldView({ graph, outputs: [{ node: 'y', port: 0 }], isKept: () => false });
  const plans = findSites(view).flatMap((site) => {
    const made = planIntoPrevious(view, site);
    return isReason(made) ? [] : [made];
  });
  const { chosen, refused, postponed } = choosePlans(view, plans, duplicateWeights);
  return {
    chosen: chosen.map(({ site }) => site),
    refused: Object.fromEntries([...refused].map(([{ site }, { code }]) => [site, code])),
    postponed: postponed.map(({ site }) => site),
  };
}

const conv = (x: string) => `Conv2D(${x}, w)[padding=VALID, strides=[1, 1, 1, 1]]`;
const norm = (x: string, gamma: string) =>
  `FusedBatchNormV3(${x}, [${gamma}], [0.5], [1.0], [4.0])[epsilon=0.0, is_training=false]`;
const TOWERS = (gamma: string) =>
  `a = ${conv('x')}\nb = ${conv('x')}\nm = ${norm('a', '2.0')}\nn = ${norm('b', gamma)}\ny = AddV2(m, n)`;

describe('choosePlans', () => {
  it('lets two towers scale a kernel in the same way', () => {
    expect(choose(TOWERS('2.0'), false)).toEqual({ chosen: ['m', 'n'], refused: {}, postponed: [] });
  });

  it('refuses both where they want other scales, unless the kernel may be written twice', () => {
    const refused = { m: 'kernel_shared', n: 'kernel_shared' };
    expect(choose(TOWERS('4.0'), false)).toEqual({ chosen: [], refused, postponed: [] });
    expect(choose(TOWERS('4.0'), true)).toEqual({ chosen: ['m', 'n'], refused: {}, postponed: [] });
  });

  it('refuses one whose kernel is read by an op without a batch norm', () => {
    const text = `m = ${norm(conv('x'), '2.0')}\ny = AddV2(m, ${conv('x')})`;
    expect(choose(text, false)).toEqual({ chosen: [], refused: { m: 'kernel_read_elsewhere' }, postponed: [] });
  });

  it.each([false, true])('postpones a second scale of one convolution (duplicateWeights: %s)', (duplicateWeights) => {
    const text = `d = Sub([1.0], ${conv('x')})\np = Pad(d, [[0, 0], [1, 1], [1, 1], [0, 0]])\ny = ${norm('p', '2.0')}`;
    expect(choose(text, duplicateWeights)).toEqual({ chosen: ['d'], refused: {}, postponed: ['y'] });
  });
});
