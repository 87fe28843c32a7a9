import { anyOf } from '../ops/meaning.js';
import { splitActivation } from './edits/activations.js';
import type { FoldPass } from './fold_outcome.js';

const hasActivation = anyOf('fused_batch_norm_activation');

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
      if (hasActivation(node) && graph.usedPorts(node.name).every((port) => port === 0)) splitActivation(graph, node);
    }
    return { outcomes: [] };
  },
};
