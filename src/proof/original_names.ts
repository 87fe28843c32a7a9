import type { FreezeOptions } from '../freezing/options.js';
import type { Graph } from '../graph/graph.js';
import { parseTensorName } from '../graph/node.js';
import { NAME_PIPELINE, runPipeline } from '../passes/pipeline.js';

/** A copy of a result whose outputs have the names of the model again, with which it is compared. */
export function withOriginalNames(result: Graph, { outputNames = {} }: FreezeOptions): Graph {
  const graph = result.copy();
  const renamed = Object.entries(outputNames).map(([output, name]) => ({ original: parseTensorName(output), name }));
  // An op of several outputs, and an input, keep their names beside the new one.
  const moved = renamed.filter(
    ({ original, name }) => original.port === 0 && isMoved(graph, original.node, name, renamed),
  );
  const names = moved.map(({ original, name }) => ({ tensor: { node: name, port: 0 }, name: original.node }));
  if (names.length > 0) runPipeline(NAME_PIPELINE, { graph, outputs: names.map(({ tensor }) => tensor), names });
  return graph;
}

/** Whether the op of an output got a new name: its old one is free, or is that of another output now. */
function isMoved(graph: Graph, node: string, name: string, renamed: readonly { readonly name: string }[]): boolean {
  return node !== name && (!graph.has(node) || renamed.some((other) => other.name === node));
}
