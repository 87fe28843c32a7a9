import type { Graph } from '../../graph/graph.js';
import type { TensorRef } from '../../graph/node.js';
import { ancestors } from '../../graph/walk.js';

/** Ops in which an input pipeline ends: what they give is what the net is fed. */
const ENDS = /^(IteratorGetNext(Sync|AsOptional)?|QueueDequeue(Many|UpTo)?(V2)?|Unstage|StageUnstage)$/;

/** The tensors where the input pipelines on the way to the outputs end: queues and iterators cannot be deployed. */
export function findPipelineOutputs(graph: Graph, outputs: readonly TensorRef[]): TensorRef[] {
  const live = ancestors(
    graph,
    outputs.map((ref) => ref.node),
    false,
  );
  const found: TensorRef[] = [];
  for (const node of graph.nodes()) {
    if (!live.has(node) || !ENDS.test(node.op)) continue;
    for (const port of graph.usedPorts(node.name)) {
      const needed = graph.consumers({ node: node.name, port }).some((consumer) => live.has(consumer));
      if (needed) found.push({ node: node.name, port });
    }
  }
  return found;
}
