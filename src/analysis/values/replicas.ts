import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { anyOf } from '../../ops/meaning.js';
import { constantScalar } from './constants.js';

const divides = anyOf('divide');
const multiplies = anyOf('multiply');
const forwards = anyOf('identity', 'cast', 'reshape', 'split', 'unpack', 'slice');

/** How many tensors a collective op sums, as the division of its result shows; 1 if nothing divides it by a whole number. */
export function replicasOf(graph: Graph, node: Node): number {
  const readers = new Set([node]);
  for (const reader of readers) {
    for (const next of graph.dataConsumers(reader.name)) {
      if (forwards(next)) readers.add(next);
      const other = next.inputs.find((ref) => ref.node !== reader.name);
      const by = divides(next) && next.inputs[1] === other ? constantScalar(graph, other) : undefined;
      const times = multiplies(next) ? constantScalar(graph, other) : undefined;
      const count = by ?? (times !== undefined && times !== 0 ? 1 / times : undefined);
      if (count !== undefined && isWhole(count)) return Math.round(count);
    }
  }
  return 1;
}

function isWhole(count: number): boolean {
  return count >= 1.5 && Math.abs(count - Math.round(count)) <= 1e-5 * count;
}
