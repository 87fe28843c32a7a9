import type { Variables } from '../analysis/state/variables.js';
import { findActivations } from '../analysis/training/activations.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import type { Node, TensorRef } from '../graph/node.js';
import { Frames } from '../ops/frames.js';
import { anyOf } from '../ops/meaning.js';
import { outputCount } from '../ops/registry.js';

const isNoOutput = anyOf('effect', 'save', 'restore', 'assign', 'update', 'no_op', 'gradient');
const isSource = anyOf('constant', 'placeholder');

/** Whether the variables of a graph were frozen: then it was cut to its outputs, and each of its ends is one. */
export function isFrozen({ kind }: Pick<Model, 'kind'>, { byNode }: Variables): boolean {
  return kind === 'graph_def' && [...byNode.values()].every(({ value }) => value !== undefined);
}

/** The tensors in which a graph ends: data that nothing reads or waits for, outside of loops. */
export function endsOf(graph: Graph): TensorRef[] {
  const fed = findActivations(graph);
  return lastNodes(graph)
    .filter((node) => fed.has(node) && !isNoOutput(node))
    .map(({ name }) => ({ node: name, port: 0 }));
}

/** The computed nodes that nothing reads or waits for, outside of loops: TensorFlow outputs nothing from within one. */
export function lastNodes(graph: Graph): Node[] {
  const frames = new Frames(graph);
  const isLast = (node: Node) =>
    !isSource(node) &&
    graph.dataConsumers(node.name).length === 0 &&
    graph.controlConsumers(node.name).length === 0 &&
    frames.of(node.name).length === 0 &&
    // Custom ops are taken to have one.
    outputCount(node) !== 0;
  return [...graph.nodes()].filter(isLast);
}
