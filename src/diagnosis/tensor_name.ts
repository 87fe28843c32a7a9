import type { TensorRef } from '../graph/node.js';

/** A tensor as users name it: `name:port`. */
export function tensorName({ node, port }: TensorRef): string {
  return `${node}:${port}`;
}
