import { attr } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import { outputType } from '../ops/registry.js';
import type { Outcome } from './outcome.js';
import type { Pass, ReplicaPlan } from './pass.js';

/**
 * Takes a computation out of the TPU or the XLA cluster that it was built for: one replica of it remains.
 *
 *     given:   a = TPUReplicatedInput(x)[N=1], b = Relu(a), y = TPUReplicatedOutput(b)[num_replicas=1]
 *     result:  a = Identity(x), b = Relu(x), y = Identity(b)
 *
 * Assumes: the analysis has found which replica an output needs, or that all replicas are equal.
 */
export const removeReplicas: Pass<ReplicaPlan> = {
  name: 'remove_replicas',
  run({ graph, replicas }) {
    const outcomes: Outcome[] = [];
    for (const [name, index] of replicas) {
      const node = graph.get(name);
      const { op } = node;
      forward(graph, node, node.inputs[index]!);
      outcomes.push({ kind: 'simplified', node: name, op });
    }
    return { outcomes };
  },
};

/** Makes all consumers of a node read one of its inputs; the node stays for its name. */
function forward(graph: Graph, node: Node, input: TensorRef): void {
  const type = outputType(node, 0) ?? DataType.DT_FLOAT;
  for (const port of graph.usedPorts(node.name)) graph.replaceUses({ node: node.name, port }, input);
  graph.replace(node, { op: 'Identity', inputs: [input], attr: { T: attr.type(type) } });
}
