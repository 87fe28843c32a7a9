import type { FoldContext } from '../../analysis/folding/context.js';
import { byConstant, sameFactor, whyNotInPlace } from '../../analysis/folding/kernels.js';
import { scaledTensor } from '../../analysis/folding/scaled_tensor.js';
import type { FoldPlan, ScaleKernel } from '../../analysis/folding/steps.js';
import { viewOf } from '../../analysis/folding/view.js';
import type { TensorRef } from '../../graph/node.js';
import type { ConstantAdder } from './constants.js';

/** Scales kernels: in place if that is right for all their consumers, else as a copy per factor. */
export function scaleKernels(context: FoldContext, constants: ConstantAdder, plans: readonly FoldPlan[]): void {
  const { graph } = context;
  for (const [name, group] of byConstant(plans)) {
    const [{ tensor, factor }] = group as [ScaleKernel];
    if (whyNotInPlace(viewOf(context), name, group)) copyKernel(context, constants, group);
    else graph.replaceByConst(graph.get(name), scaledTensor(tensor, factor), graph.get(name).controls);
  }
}

function copyKernel({ graph }: FoldContext, constants: ConstantAdder, group: readonly ScaleKernel[]): void {
  const copies: { readonly like: ScaleKernel; readonly ref: TensorRef }[] = [];
  for (const step of group) {
    const { op, input, shape, factor } = step;
    const isSame = ({ like }: { like: ScaleKernel }) =>
      like.shape.join() === shape.join() && sameFactor(like.factor, factor);
    let copy = copies.find(isSame);
    if (!copy) {
      const tensor = { ...scaledTensor(step.tensor, factor), shape };
      copy = { like: step, ref: constants.add(`${op}/folded_kernel`, tensor, op) };
      copies.push(copy);
    }
    graph.setInput(graph.get(op), input, copy.ref);
  }
}
