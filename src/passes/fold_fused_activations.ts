import { attr, attrInt, attrString, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Node } from '../graph/node.js';
import type { FoldPass } from './fold_outcome.js';

/** Attrs that only _FusedBatchNormEx has. */
const EX_ATTRS: ReadonlySet<string> = new Set(['num_side_inputs', 'activation_mode']);

/**
 * Splits ops that TensorFlow's optimizer has fused, so that their batch norm can be folded.
 *
 *     given:   y = _FusedBatchNormEx(x, gamma, beta, mean, variance, side)[activation_mode=Relu, num_side_inputs=1]
 *     result:  y/batch_norm = FusedBatchNormV3(x, gamma, beta, mean, variance)
 *              y/sum = AddV2(y/batch_norm, side), y = Relu(y/sum)
 *
 * Assumes: only output 0 is in use; otherwise the node stays.
 */
export const foldFusedActivations: FoldPass = {
  name: 'fold_fused_activations',
  run({ graph }) {
    for (const node of [...graph.nodes()]) {
      if (node.op !== '_FusedBatchNormEx') continue;
      const used = graph.usedPorts(node.name).filter((port) => port !== 0);
      const activation = attrString(node, 'activation_mode') ?? 'Identity';
      const sides = attrInt(node, 'num_side_inputs') ?? 0;
      const isKnown = activation === 'Identity' || activation === 'Relu';
      if (used.length > 0 || !isKnown || sides > 1) continue;
      const side = sides === 1 ? node.inputs[5] : undefined;
      const name = graph.freeName(`${node.name}/batch_norm`);
      const norm = { op: 'FusedBatchNormV3', inputs: node.inputs.slice(0, 5), attr: plainAttrs(node) };
      const T = attr.type(attrType(node, 'T') ?? DataType.DT_FLOAT);
      let x = { node: graph.add({ ...norm, name }).name, port: 0 };
      const { controls } = node;
      if (side && activation === 'Identity') {
        graph.replace(node, { op: 'AddV2', inputs: [x, side], controls, attr: { T } });
      } else {
        if (side) {
          const sum = { op: 'AddV2', inputs: [x, side], attr: { T } };
          x = { node: graph.add({ ...sum, name: graph.freeName(`${node.name}/sum`) }).name, port: 0 };
        }
        graph.replace(node, { op: activation, inputs: [x], controls, attr: { T } });
      }
    }
    return { outcomes: [] };
  },
};

function plainAttrs(node: Node): Node['attr'] {
  return Object.fromEntries(Object.entries(node.attr).filter(([key]) => !EX_ATTRS.has(key)));
}
