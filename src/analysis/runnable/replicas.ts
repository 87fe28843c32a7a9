import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { ancestors } from '../../graph/walk.js';
import { anyOf, hasRole, isIdentity } from '../../ops/meaning.js';
import { outputCount } from '../../ops/registry.js';

const isReplicaOp = anyOf('replicas');
/** Without N, as some writers leave it out, an op may have no inputs: there is nothing to forward. */
const joinsReplicas = (node: Node) => isReplicaOp(node) && node.inputs.length > 0;
const isHandle = anyOf('handle');

/** For each node that joins replicas, or marks a cluster: the index of the input that it forwards. */
export type Replicas = ReadonlyMap<string, number>;

/** The nodes that forward a tensor to or from one TPU or cluster, or equal tensors to several. */
export function findEqualReplicas(graph: Graph): Replicas {
  const found = new Map<string, number>();
  const several: Node[] = [];
  for (const node of graph.nodes()) {
    if (isIdentity(node) && hasRole(node, 'accelerator') && node.inputs.length > 0) found.set(node.name, 0);
    else if (joinsReplicas(node)) {
      if (isOutput(node) ? outputCount(node) === 1 : isEqual(graph, node)) {
        found.set(node.name, 0);
      } else several.push(node);
    }
  }
  // With equal inputs, all replicas compute the same.
  if (several.every(isOutput)) for (const node of several) found.set(node.name, 0);
  return found;
}

/** If the outputs need one replica: what forwards its tensors. */
export function findChosenReplicas(graph: Graph, outputs: readonly TensorRef[]): Replicas {
  const live = ancestors(
    graph,
    outputs.map(({ node }) => node),
    false,
  );
  const nodes = [...live].filter(joinsReplicas);
  const ports = new Set(outputs.filter(({ node }) => joinsReplicas(graph.get(node))).map(({ port }) => port));
  for (const node of nodes.filter(isOutput)) {
    for (const port of graph.usedPorts(node.name)) {
      if (graph.consumers({ node: node.name, port }).some((consumer) => live.has(consumer))) ports.add(port);
    }
  }
  const [chosen = 0, ...others] = ports;
  if (others.length > 0) return new Map();
  return new Map(nodes.map((node) => [node.name, isOutput(node) ? 0 : Math.min(chosen, node.inputs.length - 1)]));
}

/** Whether a node has the results of replicas: it has one input, and one output for each. */
function isOutput(node: Node): boolean {
  return node.op === 'TPUReplicatedOutput';
}

/** Whether all inputs of a node are one tensor, or mirrored copies of one variable. */
function isEqual(graph: Graph, node: Node): boolean {
  return new Set(node.inputs.map(refText)).size === 1 || graph.inputNodes(node).every((input) => isHandle(input));
}
