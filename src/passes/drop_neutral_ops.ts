import { findNeutralOps } from '../analysis/values/neutral_ops.js';
import { attr } from '../graph/attrs.js';
import { ancestors } from '../graph/walk.js';
import { outputType } from '../ops/registry.js';
import type { FinishPlan, Pass } from './pass.js';

/**
 * Removes multiplications by one and additions of zero: what remains of the corrections of quantisation-aware training.
 *
 *     given:   x = Placeholder[shape=[?, 2]], y = Relu(x * [1.0, 1.0] + 0.0)
 *     result:  x = Placeholder[shape=[?, 2]], y = Relu(x)
 *
 * Assumes: nothing. An op that may broadcast its input stays.
 */
export const dropNeutralOps: Pass<FinishPlan> = {
  name: 'drop_neutral_ops',
  run({ graph, outputs, isKept }) {
    const named = new Set(outputs.map(({ node }) => node));
    for (const { node: name, input } of findNeutralOps(graph, isKept)) {
      const node = graph.get(name);
      const { controls } = node;
      // The input may have been replaced since: use what the node reads now.
      const x = node.inputs[input]!;
      const isNeeded = named.has(name) || controls.length > 0 || graph.controlConsumers(name).length > 0;
      if (isNeeded) {
        const dtype = outputType(node, 0);
        const T = dtype === undefined ? {} : { T: attr.type(dtype) };
        graph.replace(node, { op: 'Identity', inputs: [x], controls, attr: T });
      } else graph.replaceUses({ node: name, port: 0 }, x);
    }
    const live = ancestors(graph, named);
    if (live.size < graph.size) graph.retain(live);
    return { outcomes: [] };
  },
};
