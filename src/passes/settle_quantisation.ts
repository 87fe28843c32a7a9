import type { TensorRef } from '../graph/graph.js';
import { sourceOf } from '../graph/walk.js';
import type { Pass, Remark } from './pass.js';

/**
 * Lets fake quantisation use the ranges that were learnt, not the ones of this batch.
 *
 *     given:   q = FakeQuantWithMinMaxVars(x, Assign(min, ReduceMin(x)), Assign(max, ReduceMax(x)))
 *     result:  q = FakeQuantWithMinMaxVars(x, min, max)
 *
 * Assumes: what a range is assigned to holds the learnt range, as in tf.contrib.quantize's evaluation graphs.
 */
export const settleQuantisation: Pass = {
  name: 'settle_quantisation',
  run({ graph, variables }) {
    const changed: Remark[] = [];
    for (const node of [...graph.nodes()]) {
      if (!/^FakeQuantWithMinMaxVars(PerChannel)?$/.test(node.op)) continue;
      const learnt = (ref: TensorRef): TensorRef => {
        const source = graph.find(sourceOf(graph, ref).node);
        const target = source && /^Assign(Add|Sub)?$/.test(source.op) ? source.inputs[0] : undefined;
        const variable = target && variables.ofHandle(target);
        return variable ? { node: variable.node, port: 0 } : ref;
      };
      const inputs = node.inputs.map((ref, index) => (index === 0 ? ref : learnt(ref)));
      if (inputs.every((ref, index) => ref === node.inputs[index])) continue;
      graph.setInputs(node, inputs);
      changed.push({ node: node.name, text: `takes its range from ${inputs[1]!.node} and ${inputs[2]!.node}` });
    }
    return { changed, skipped: [] };
  },
};
