import type { Graph } from '../graph/graph.js';
import { type TensorRef, tensorName } from '../graph/node.js';
import { isIdentity } from '../ops/meaning.js';

/**
 * Where another graph has the value of a tensor: under its own name, or that of an identity before or after it, of which a repair may
 * keep any.
 */
export function counterpartOf(saved: Graph, ref: TensorRef, other: Graph): TensorRef | undefined {
  const same = new Map([[tensorName(ref), ref]]);
  for (const at of same.values()) {
    if (other.has(at.node)) return at;
    const node = saved.find(at.node);
    const before = node && isIdentity(node) ? node.inputs.slice(0, 1) : [];
    const after = saved.consumers(at).filter(isIdentity);
    for (const each of [...before, ...after.map(({ name }) => ({ node: name, port: 0 }))])
      same.set(tensorName(each), each);
  }
  return undefined;
}
