import type { Node, TensorRef } from '../graph/node.js';
import { ancestors, sourceOf } from '../graph/walk.js';
import { isIdentity } from '../ops/meaning.js';
import type { Pass, PassContext, Remark } from './pass.js';

/**
 * Lets the net use what training has learnt where it used what an assignment just made of this batch.
 *
 *     given:   q = FakeQuantWithMinMaxVars(x, Assign(min, ReduceMin(x)), Assign(max, ReduceMax(x)))
 *     result:  q = FakeQuantWithMinMaxVars(x, min, max)
 *
 *     given:   y = (x - AssignSub(moving_mean, ...)) * ...      result:  y = (x - moving_mean) * ...
 *
 * Assumes: the variable is a range of fake quantisation (tf.contrib.quantize), or a moving average by its own update op.
 * Other assignments on the way to an output are left, and refused later.
 */
export const bypassAssignments: Pass = {
  name: 'bypass_assignments',
  run(context) {
    const { graph, outputs, variables, batchNorms } = context;
    const changed: Remark[] = [];
    for (const node of [...graph.nodes()]) {
      if (QUANTISES.test(node.op)) changed.push(...settleRange(context, node));
    }
    const averaged = new Set([...batchNorms.averages.values()].flat().map((average) => average.variable.node));
    const live = ancestors(
      graph,
      outputs.map((ref) => ref.node),
      false,
    );
    for (const node of [...graph.nodes()]) {
      const variable = ASSIGNS.test(node.op) && node.inputs[0] ? variables.ofHandle(node.inputs[0]) : undefined;
      if (!variable || !live.has(node) || !averaged.has(variable.node)) continue;
      const used = graph.replaceUses({ node: node.name, port: 0 }, { node: variable.node, port: 0 }, (consumer) =>
        live.has(consumer),
      );
      if (used > 0) changed.push({ node: node.name, text: `${variable.node} is read, not updated` });
    }
    return { changed, skipped: [] };
  },
};

const QUANTISES = /^FakeQuantWithMinMaxVars(PerChannel)?$/;
const ASSIGNS = /^Assign(Add|Sub)?$/;

/** The inputs 1 and 2 of fake quantisation: its range. */
function settleRange({ graph, variables }: PassContext, node: Node): Remark[] {
  const learnt = (ref: TensorRef): TensorRef => {
    const source = graph.find(sourceOf(graph, ref, isIdentity).node);
    const target = source && ASSIGNS.test(source.op) ? source.inputs[0] : undefined;
    const variable = target && variables.ofHandle(target);
    return variable ? { node: variable.node, port: 0 } : ref;
  };
  const inputs = node.inputs.map((ref, index) => (index === 0 ? ref : learnt(ref)));
  if (inputs.every((ref, index) => ref === node.inputs[index])) return [];
  graph.setInputs(node, inputs);
  return [{ node: node.name, text: `takes its range from ${inputs[1]!.node} and ${inputs[2]!.node}` }];
}
