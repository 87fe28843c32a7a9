import { attrBool } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';

/** The attr that marks a ReadVariableOp which `unfreeze_variables` has added. TensorFlow keeps attrs that start with `_`. */
export const ADDED_READ = '_bnfix_added';

/** Whether `unfreeze_variables` has added a node. */
export function isAddedRead(node: Node): boolean {
  return attrBool(node, ADDED_READ) === true;
}

/** Removes a node that only forwards its input: its consumers read the input instead. */
export function bypass(graph: Graph, node: Node): void {
  const [input] = node.inputs;
  if (!input) return;
  graph.replaceUses({ node: node.name, port: 0 }, input);
  for (const consumer of graph.controlConsumers(node.name)) {
    const controls = consumer.controls.filter((name) => name !== node.name);
    graph.setControls(consumer, [...new Set([...controls, ...node.controls, input.node])]);
  }
  graph.remove(node.name);
}
