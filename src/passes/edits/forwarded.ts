import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { sameAs } from '../../ops/meaning.js';
import { outputCount } from '../../ops/registry.js';

const isIdentity = sameAs('Identity');

/** The node whose only output an Identity forwards, if no control edge begins there or ends at the Identity: one may take the other's name. */
export function forwardedProducer(graph: Graph, name: string): Node | undefined {
  const node = graph.get(name);
  const [ref] = node.inputs;
  if (!isIdentity(node) || !ref || node.controls.length > 0 || ref.port !== 0) return undefined;
  const producer = graph.get(ref.node);
  const isFree = outputCount(producer) === 1 && graph.controlConsumers(producer.name).length === 0;
  return isFree ? producer : undefined;
}
