import type { FoldContext } from '../../analysis/folding/context.js';
import type { FoldPlan, FoldStep } from '../../analysis/folding/steps.js';
import { ConstantAdder } from './constants.js';
import { scaleKernels } from './kernels.js';
import { replaceSite } from './site.js';
import { addBias, setAddend } from './sums.js';

/** Applies plans that rely on different nodes: first all kernels, then site by site. */
export function applyPlans(context: FoldContext, plans: readonly FoldPlan[]): void {
  if (plans.length === 0) return;
  const constants = new ConstantAdder(context.graph);
  scaleKernels(context, constants, plans);
  for (const step of plans.flatMap(({ steps }) => steps)) apply(context, constants, step);
}

function apply(context: FoldContext, constants: ConstantAdder, step: FoldStep): void {
  switch (step.kind) {
    case 'scale_kernel':
      return; // applied for all plans at once, since they may share it
    case 'set_addend':
      setAddend(context, constants, step);
      return;
    case 'add_bias':
      addBias(context, constants, step);
      return;
    case 'replace_site':
      replaceSite(context, constants, step);
      return;
  }
}
