import { attrBool } from '../../graph/attrs.js';
import type { Node } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { anyOf } from '../../ops/meaning.js';

const isFusedGradient = anyOf('fused_batch_norm_gradient');

/** Whether an op is the gradient of a fused batch norm that normalises with the batch, which goes through its statistics. */
export function isTrainingGradient(node: Node): boolean {
  return isFusedGradient(node) && (attrBool(node, 'is_training') ?? true);
}

/** `gradients/OP_grad/...`: what tf.gradients makes for an op. */
const OF_OP = /^(.*\/)?gradients(?:_\d+)?\/(.+)_grad\//;
/** `gradient_tape/SCOPE/...`: what a GradientTape makes for the ops of a scope. */
const OF_SCOPE = /^(.*\/)?gradient_tape\/(.+)\/[^/]+$/;

/**
 * Tells which ops of a net gradients in use go through. There is no other trace of it in arithmetic than the names that
 * TensorFlow gives them: enough to refuse, not to repair.
 */
export class Gradients {
  /** A node of the gradient, by the op or the scope that it goes back through. */
  readonly #nodes = new Map<string, string>();

  constructor(live: NodeSet) {
    for (const { name } of live) {
      const [, prefix = '', forward] = OF_OP.exec(name) ?? OF_SCOPE.exec(name) ?? [];
      if (forward === undefined) continue;
      this.#nodes.set(forward, name);
      this.#nodes.set(`${prefix}${forward}`, name);
    }
  }

  /** A node of the gradient of an op, where one is in use. */
  of(op: string): string | undefined {
    return this.#nodes.get(op) ?? this.#nodes.get(op.slice(0, Math.max(op.lastIndexOf('/'), 0)));
  }
}
