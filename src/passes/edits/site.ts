import type { FoldContext } from '../../analysis/folding/context.js';
import type { ReplaceSite } from '../../analysis/folding/steps.js';
import { viewOf } from '../../analysis/folding/view.js';
import { attr } from '../../graph/attrs.js';
import type { ConstantAdder } from './constants.js';
import { vectorNode } from './sums.js';

/** Replaces a site by other ops, or by none; the last op keeps its name. Without ops, its consumers read its input. */
export function replaceSite(context: FoldContext, constants: ConstantAdder, step: ReplaceSite): void {
  const { graph } = context;
  const { members, input, dtype } = step;
  const last = graph.get(members.at(-1)!);
  let x = graph.get(members[0]!).inputs[input]!;
  const before = step.by.slice(0, -1);
  const final = step.by.at(-1);
  for (const op of before) {
    const spec = vectorNode(constants, x, op, last.name, dtype);
    x = { node: graph.add({ ...spec, name: graph.freeName(`${last.name}/${op.op.toLowerCase()}`) }).name, port: 0 };
  }
  if (final) {
    graph.replace(last, { ...vectorNode(constants, x, final, last.name, dtype), controls: last.controls });
  } else if (viewOf(context).isRemovable(last)) {
    graph.replaceUses({ node: last.name, port: 0 }, x);
    graph.remove(last.name);
  } else {
    graph.replace(last, { op: 'Identity', inputs: [x], controls: last.controls, attr: { T: attr.type(dtype) } });
  }
  for (const name of members.slice(0, -1).reverse()) graph.remove(name);
}
