import { attrFloat } from '../graph/attrs.js';
import type { Node } from '../graph/node.js';
import { isGlobalBatchNorm } from './meaning.js';

/** The epsilon of a fused batch norm that omits it, as a float32 (tensorflow/core/ops/nn_ops.cc). */
export const FUSED_EPSILON = Math.fround(1e-4);

/** The epsilon of a batch norm that is one op: `epsilon`, or `variance_epsilon` of those before TensorFlow 1.0, which has no default. */
export function epsilonAttr(node: Node): number {
  return isGlobalBatchNorm(node)
    ? (attrFloat(node, 'variance_epsilon') ?? 0)
    : (attrFloat(node, 'epsilon') ?? FUSED_EPSILON);
}
