import { findActivations } from '../analysis/training/activations.js';
import { isNormArithmetic } from '../analysis/training/stored_statistics.js';
import { Shapes } from '../analysis/values/shapes.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';
import { sourceOf } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';
import type { Sample } from './sites.js';

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
export function normalizedBy(graph: Graph, root: Node, feeding: NodeSet): Sample | undefined {
  const activations = findActivations(graph);
  const found: Sample[] = [];
  let level = new Set([root]);
  for (let distance = 0; distance < DISTANCE && level.size > 0; distance++) {
    const next = new Set<Node>();
    for (const node of level) {
      for (const consumer of graph.dataConsumers(node.name)) {
        if (!isNormArithmetic(consumer) || !feeding.has(consumer)) continue;
        const data = consumer.inputs.filter((ref) => activations.hasNamed(ref.node));
        if (data.length === 0) next.add(consumer);
        else if (scales(consumer) && data.length === 1) found.push(sampleOf(graph, activations, data[0]!, node));
      }
    }
    level = next;
  }
  return found.length === 1 ? found[0] : undefined;
}

/** @param scale - what the activation is multiplied by, or divided by */
function sampleOf(graph: Graph, activations: ReturnType<typeof findActivations>, data: TensorRef, scale: Node): Sample {
  const shape = new Shapes(graph).of({ node: scale.name, port: 0 });
  const axes = shape && shape.length > 0 ? ({ kind: 'like', shape } as const) : ({ kind: 'last' } as const);
  const before = graph.get(sourceOf(graph, data, arranges).node);
  const [x, mean] = before.inputs;
  const isShifted = subtracts(before) && x && mean && !activations.hasNamed(mean.node);
  return { tensor: isShifted && activations.hasNamed(x.node) ? x : data, axes };
}
