import { attrBool, attrString } from '../../graph/attrs.js';
import type { Node } from '../../graph/node.js';
import { anyOf, isGlobalBatchNorm } from '../../ops/meaning.js';
import { affineOp } from './affine.js';
import type { FoldReason } from './reasons.js';
import type { FoundBatchNorm } from './sites.js';
import type { FoldView } from './view.js';

/** A batch norm that is not a site, and why. */
export interface Unfoldable extends FoundBatchNorm {
  readonly reason: FoldReason;
}

const isWithActivation = anyOf('fused_batch_norm_activation');
const isBatchNorm = anyOf('fused_batch_norm', 'fused_batch_norm_activation', 'global_batch_norm');

/** Batch norms that are not sites, with the reason. */
export function findUnfoldable(view: FoldView): Unfoldable[] {
  return [...view.graph.nodes()]
    .filter((node) => isBatchNorm(node) && !affineOp(view, node))
    .map((node) => ({ name: node.name, pattern: node.op, reason: whyUnfoldable(view, node) }));
}

function whyUnfoldable(view: FoldView, node: Node): FoldReason {
  if (view.isKept(node.name)) return { code: 'kept_by_option' };
  const isInference = attrBool(node, 'is_training') === false || isGlobalBatchNorm(node);
  if (!isInference) return { code: 'training_mode' };
  const ports = view.graph.usedPorts(node.name).filter((port) => port !== 0);
  if (ports.length > 0) return { code: 'statistics_used', ports };
  if (isWithActivation(node)) {
    return { code: 'activation_unknown', activation: attrString(node, 'activation_mode') ?? '' };
  }
  const parameter = node.inputs.find((ref, i) => i > 0 && !view.constants.vector(ref));
  return parameter ? { code: 'parameter_not_constant', node: parameter.node } : { code: 'parameters_do_not_fit' };
}
