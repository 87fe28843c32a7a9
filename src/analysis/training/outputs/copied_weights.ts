import type { Node } from '../../../graph/node.js';
import { NodeSet } from '../../../graph/node_set.js';
import { sourceOf } from '../../../graph/walk.js';
import { anyOf } from '../../../ops/meaning.js';
import type { Net } from './net.js';

const isAssign = anyOf('assign');
const isUpdate = anyOf('update');
const passesHandle = anyOf('identity', 'read', 'cast', 'enter', 'switch');

/** The variables that an optimizer trains. */
export function trainedVariables(net: Net): NodeSet {
  return new NodeSet(
    net.graph,
    net.order.flatMap((node) => (isUpdate(node) ? (variableOf(net, node) ?? []) : [])),
  );
}

function variableOf({ graph }: Net, { inputs }: Node): Node | undefined {
  return inputs[0] && graph.find(sourceOf(graph, inputs[0], passesHandle).node);
}

/** Nodes that depend on weights that are copied from other weights, and that no optimizer trains. */
export function copiedWeights(net: Net, trained: NodeSet): NodeSet {
  const copied = new NodeSet(net.graph);
  for (const node of net.order) {
    if (!isAssign(node)) continue;
    const variable = variableOf(net, node);
    const value = net.graph.inputNode(node, 1);
    if (!variable || trained.has(variable) || !net.isWeightInput(value)) continue;
    if (trained.size > 0 ? readsOther(net, value!, variable, trained) : readsOther(net, value!, variable))
      copied.add(variable);
  }
  const found = new NodeSet(net.graph);
  if (copied.size === 0) return found;
  for (const node of net.order) {
    if (net.effects.has(node) || net.gradients.has(node)) continue;
    if (copied.has(node) || net.graph.inputNodes(node).some((input) => found.has(input))) found.add(node);
  }
  return found;
}

/** Whether a value is computed from a variable other than a given one. */
function readsOther(net: Net, value: Node, variable: Node, among?: NodeSet): boolean {
  const seen = new NodeSet(net.graph, [value]);
  for (const node of seen) {
    if (seen.size > 64) return false;
    if (node.inputs.length === 0 && net.weights.has(node) && node !== variable && (!among || among.has(node)))
      return true;
    for (const input of net.graph.inputNodes(node)) if (net.weights.has(input)) seen.add(input);
  }
  return false;
}
