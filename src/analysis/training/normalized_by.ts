import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import { findActivations } from './activations.js';
import { isNormArithmetic } from './stored_statistics.js';

/** What a root of a stored variance scales. */
export interface Normalized {
  /** The activation, before the mean is subtracted. */
  readonly x: TensorRef;
  /** What it is multiplied by, or divided by. */
  readonly scale: Node;
}

const scales = anyOf('multiply', 'divide');
const subtracts = anyOf('subtract');
const arranges = anyOf('identity', 'cast');

/** Maximum number of ops between a root and the activation that it scales. */
const DISTANCE = 6;

/**
 * The activation that a root of a stored variance scales, before the mean is subtracted.
 * @param feeding - the nodes that feed an output: gradients read the same tensors
 * @returns undefined if it is not found, or if several are scaled
 */
export function normalizedBy(graph: Graph, root: Node, feeding: NodeSet): Normalized | undefined {
  const activations = findActivations(graph);
  const found: Normalized[] = [];
  let level = new Set([root]);
  for (let distance = 0; distance < DISTANCE && level.size > 0; distance++) {
    const next = new Set<Node>();
    for (const node of level) {
      for (const consumer of graph.dataConsumers(node.name)) {
        if (!isNormArithmetic(consumer) || !feeding.has(consumer)) continue;
        const data = consumer.inputs.filter((ref) => activations.hasNamed(ref.node));
        if (data.length === 0) next.add(consumer);
        else if (scales(consumer) && data.length === 1)
          found.push({ x: beforeMean(graph, activations, data[0]!), scale: node });
      }
    }
    level = next;
  }
  return found.length === 1 ? found[0] : undefined;
}

function beforeMean(graph: Graph, activations: NodeSet, data: TensorRef): TensorRef {
  const before = graph.get(sourceOf(graph, data, arranges).node);
  const [x, mean] = before.inputs;
  const isShifted = subtracts(before) && x && mean && !activations.hasNamed(mean.node);
  return isShifted && activations.hasNamed(x.node) ? x : data;
}
