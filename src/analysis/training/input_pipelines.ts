import type { Graph } from '../../graph/graph.js';
import type { TensorRef } from '../../graph/node.js';
import { ancestors } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';

const isPipelineEnd = anyOf('pipeline_end');

/** Tensors from input pipelines that feed the outputs, in file order: queues and iterators cannot be deployed. */
export function findPipelineOutputs(graph: Graph, outputs: readonly TensorRef[]): TensorRef[] {
  const live = ancestors(
    graph,
    outputs.map((ref) => ref.node),
    false,
  );
  const found: TensorRef[] = [];
  for (const node of graph.nodes()) {
    if (!live.has(node) || !isPipelineEnd(node)) continue;
    for (const port of graph.usedPorts(node.name)) {
      const needed = graph.consumers({ node: node.name, port }).some((consumer) => live.has(consumer));
      if (needed) found.push({ node: node.name, port });
    }
  }
  return found;
}
