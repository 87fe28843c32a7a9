import { attrBool } from '../../graph/attrs.js';
import type { Node } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { anyOf } from '../../ops/meaning.js';

const isFusedGradient = anyOf('fused_batch_norm_gradient');

/** Whether an op is the gradient of a fused batch norm in training mode, and so goes through its batch statistics. */
export function isTrainingGradient(node: Node): boolean {
  return isFusedGradient(node) && (attrBool(node, 'is_training') ?? true);
}

/** `gradients/OP_grad/...`: the name scope of tf.gradients for an op. */
const OF_OP = /^(.*\/)?gradients(?:_\d+)?\/(.+)_grad\//;
/** `gradient_tape/SCOPE/...`: the name scope of a GradientTape for the ops of a scope. */
const OF_SCOPE = /^(.*\/)?gradient_tape\/(.+)\/[^/]+$/;

/**
 * Determines which ops of a net the gradients in use go through. In arithmetic, only the names that TensorFlow gives to
 * gradient nodes show this: enough to refuse, not to repair.
 */
export class Gradients {
  /** Gradient nodes, by the op or the scope whose gradient they compute. */
  readonly #nodes = new Map<string, string>();

  constructor(live: NodeSet) {
    for (const { name } of live) {
      const [, prefix = '', forward] = OF_OP.exec(name) ?? OF_SCOPE.exec(name) ?? [];
      if (forward === undefined) continue;
      this.#nodes.set(forward, name);
      this.#nodes.set(`${prefix}${forward}`, name);
    }
  }

  /** A gradient node of an op; undefined if none is in use. */
  of(op: string): string | undefined {
    return this.#nodes.get(op) ?? this.#nodes.get(op.slice(0, Math.max(op.lastIndexOf('/'), 0)));
  }
}
