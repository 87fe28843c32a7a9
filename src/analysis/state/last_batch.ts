import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { ancestors, sourceOf, topologicalOrder } from '../../graph/walk.js';
import { anyOf, isIdentity } from '../../ops/meaning.js';
import { assignedValue, assignKind } from './assignments.js';
import type { Variable } from './variables.js';

/** A variable that each batch overwrites with a tensor, mostly its statistic. */
export interface LastBatch {
  readonly variable: Variable;
  /** The ops that assign the statistic. */
  readonly assigns: readonly string[];
  /** The variables that average the same statistic, if any: inference may read these instead. */
  readonly averages: readonly Variable[];
}

/** An input that reads the value which a variable was just assigned, and the tensor that was assigned. */
export interface AssignedRead {
  readonly node: string;
  readonly index: number;
  readonly value: TensorRef;
}

const isRead = anyOf('read');
const forwards = anyOf('identity', 'enter');
const changesVariable = anyOf('assign', 'update', 'initialised', 'save');

/**
 * Finds the inputs that feed an output and read the statistic of the current batch through a variable: the op that
 * assigns it runs whenever the output is computed, and comes before the reader.
 */
export function findAssignedReads(
  graph: Graph,
  lastBatches: readonly LastBatch[],
  outputs: readonly TensorRef[],
): AssignedRead[] {
  if (lastBatches.every(({ averages }) => averages.length === 0)) return [];
  const names = outputs.map(({ node }) => node);
  const feeding = ancestors(graph, names, false);
  const running = ancestors(graph, names);
  const order = new Map(topologicalOrder(graph).map((node, i) => [node, i]));
  return lastBatches.flatMap(({ variable, assigns, averages }) => {
    const assign = assigns.length === 1 && averages.length > 0 ? graph.get(assigns[0]!) : undefined;
    if (!assign || assignKind(assign) !== 'set' || !running.has(assign) || !isUnconditional(graph, assign)) return [];
    const isAfter = (node: Node) => order.get(node)! > order.get(assign)!;
    return readsAfter(graph, variable, assign, feeding, isAfter);
  });
}

/** Whether an op assigns to the variable itself, not to what a condition or a loop passes on. */
function isUnconditional(graph: Graph, assign: Node): boolean {
  const { node } = sourceOf(graph, assign.inputs[0]!, isIdentity);
  return graph.get(node).inputs.length === 0;
}

function readsAfter(
  graph: Graph,
  variable: Variable,
  assign: Node,
  feeding: NodeSet,
  isAfter: (node: Node) => boolean,
): AssignedRead[] {
  const value = assignedValue(assign);
  const found: AssignedRead[] = [];
  const handles = new Set(variable.kind === 'resource' ? [variable.node] : []);
  // The op that assigns to a ref variable outputs its new value.
  const holders = new Set(variable.kind === 'resource' ? [] : [variable.node, assign.name]);
  for (const handle of handles) {
    for (const node of graph.dataConsumers(handle)) {
      if (isRead(node)) holders.add(node.name);
      else if (forwards(node)) handles.add(node.name);
    }
  }
  for (const holder of holders) {
    for (const node of new Set(graph.dataConsumers(holder))) {
      if (!feeding.has(node) || changesVariable(node)) continue;
      if (isAfter(node)) {
        for (const [index, input] of node.inputs.entries()) {
          if (input.node === holder) found.push({ node: node.name, index, value });
        }
      } else if (forwards(node)) holders.add(node.name);
    }
  }
  return found;
}
