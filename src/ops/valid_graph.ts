import { attrInt } from '../graph/attrs.js';
import { corruptGraph, missingInput } from '../graph/corrupt_graph.js';
import type { Graph } from '../graph/graph.js';
import { memoizeByVersion } from '../graph/memo.js';
import type { Node } from '../graph/node.js';
import { topologicalOrder } from '../graph/walk.js';
import { findLooseEdge } from './loose_edges.js';
import { countAttrs, inputCount, opInfo, outputCount } from './registry.js';
import { refuseInvalidFunctions } from './valid_functions.js';

/** What is wrong with one node, so that TensorFlow would not import the graph. */
interface NodeFault {
  readonly message: string;
  readonly why?: string;
}

/**
 * Checks what the rest of bnfix relies on: names, numbers of inputs and outputs, edges, no cycles outside of loops. Reads the
 * attrs only of nodes whose number of inputs or outputs depends on them.
 * @throws BnfixError `unreadable` with the first fault
 */
export const refuseInvalidGraph: (graph: Graph) => void = memoizeByVersion(check, (graph) => graph);

function check(graph: Graph): void {
  refuseInvalidFunctions(graph);
  for (const node of graph.nodes()) refuseInvalidNode(node);
  const loose = findLooseEdge(graph);
  if (loose) {
    const { node, edge, producer } = loose;
    throw missingInput(
      node,
      edge,
      producer && `${producer.name} (${producer.op}) has ${outputCount(producer)} outputs`,
    );
  }
  topologicalOrder(graph);
}

/** TensorFlow allows letters, digits and . _ - / > in names. Others are harmless, except where edges are written with them. */
function nameFault({ name, op }: Node): NodeFault | undefined {
  if (name === '') return { message: `a node (${op}) has no name` };
  if (op === '') return { message: `${name} has no op` };
  if (!name.startsWith('^') && !/:\d+$/.test(name)) return undefined;
  return { message: `${name} is not a valid name of a node`, why: 'it is a control input, or an output of a node' };
}

/** Checks the name of a node and the number of its inputs and outputs. @throws BnfixError `unreadable` when they are impossible */
export function refuseInvalidNode(node: Node): void {
  const fault = nameFault(node) ?? countFault(node);
  if (fault) throw corruptGraph(node.name, fault.message, fault.why);
}

function countFault(node: Node): NodeFault | undefined {
  const { name, op, inputs } = node;
  const needed = inputCount(node);
  if (needed === undefined) return undefined;
  // Without the attr that says the number, at least the other inputs must be there.
  const fits = Number.isNaN(needed) ? inputs.length >= opInfo(op)!.inputs!.fixed : inputs.length === needed;
  for (const key of countAttrs(op)) {
    const count = attrInt(node, key);
    if (count !== undefined && !(Number.isSafeInteger(count) && count >= 0)) {
      return { message: `${name} (${op}) has ${key} = ${count}`, why: 'it is a number of tensors' };
    }
  }
  if (fits) return undefined;
  const has = `${inputs.length} ${inputs.length === 1 ? 'input' : 'inputs'}`;
  const least = Number.isNaN(needed) ? `at least ${opInfo(op)!.inputs!.fixed}` : needed;
  return { message: `${name} (${op}) has ${has}, but needs ${least}` };
}
