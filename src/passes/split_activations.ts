import { attrBool } from '../graph/attrs.js';
import { anyOf } from '../ops/meaning.js';
import { splitActivation } from './edits/activations.js';
import type { Pass } from './pass.js';

const hasActivation = anyOf('fused_batch_norm_activation');

/**
 * Splits batch norms in training mode from the activations that TensorFlow's optimizer has fused with them, so that they are
 * analysed like all others.
 *
 *     given:   y = _FusedBatchNormEx(x, gamma, beta, mean, variance)[activation_mode=Relu, is_training=true]
 *     result:  y/batch_norm = FusedBatchNormV3(x, gamma, beta, mean, variance)[is_training=true], y = Relu(y/batch_norm)
 *
 * Assumes nothing. Those in inference mode stay as they are.
 */
export const splitActivations: Pass<unknown> = {
  name: 'split_activations',
  run({ graph }) {
    for (const node of [...graph.nodes()]) {
      // Training is the default.
      if (hasActivation(node) && attrBool(node, 'is_training') !== false) splitActivation(graph, node);
    }
    return { outcomes: [] };
  },
};
