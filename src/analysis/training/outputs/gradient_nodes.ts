import type { Node } from '../../../graph/node.js';
import { anyOf } from '../../../ops/meaning.js';

const isGradientOp = anyOf('gradient');

/** A scope that tf.gradients made, in the name of the gradient of an op, or of what it was given. */
const GRADIENT_SCOPE = /^((?:.*\/)?gradients(?:_\d+)?\/)(?:.+_grad\/|grad_ys_)/;
const GRADIENTS = /^((?:.*\/)?gradients(?:_\d+)?\/)/;
const TAPE_NAME = /(^|\/)gradient_tape\//;

/** Nodes that tf.gradients created: in scopes with the gradient of some op. A net may have a scope of that name as well. */
export function findGradients(nodes: readonly Node[]): Node[] {
  const scopeOf = (node: Node) => (isGradientOp(node) ? GRADIENTS : GRADIENT_SCOPE).exec(node.name)?.[1];
  const scopes = new Set(nodes.flatMap((node) => scopeOf(node) ?? []));
  const isIn = (name: string) => [...scopes].some((scope) => name.startsWith(scope));
  return nodes.filter((node) => isGradientOp(node) || isIn(node.name) || TAPE_NAME.test(node.name));
}
