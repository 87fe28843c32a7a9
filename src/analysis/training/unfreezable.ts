import { attrTypes } from '../../graph/attrs.js';
import { calledFunctions, type FunctionDef } from '../../graph/called_functions.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { anyOf } from '../../ops/meaning.js';
import type { Problem } from './problems.js';

const updates = anyOf('assign', 'update', 'initialised');
const isHandle = anyOf('handle');
const readsHandle = anyOf('read', 'gather_variable', 'variable_shape');
const forwardsHandle = anyOf('identity', 'switch', 'merge', 'enter', 'exit', 'next_iteration');
const calls = anyOf('call', 'if', 'case', 'while');
const trains = anyOf('fused_batch_norm', 'assign', 'update', 'read', 'random');

/**
 * Nodes that inference needs but a frozen graph cannot have: values of variables after an update, ops that take the
 * variable itself, functions with training ops that cannot be inlined.
 */
export function findUnfreezable(graph: Graph, live: NodeSet): Problem[] {
  const problems: Problem[] = [];
  const readers = unknownReaders(graph, live);
  for (const node of live) {
    if (updates(node)) problems.push({ code: 'updated_in_use', node: node.name, op: node.op });
    else if (readers.has(node)) problems.push({ code: 'unknown_reader', node: node.name, op: node.op });
  }
  for (const fn of calledFunctions(graph, live)) problems.push(...trainingIn(fn));
  return problems;
}

/** Ops with a handle that a constant cannot replace (a random generator, say); some fail only when they run. */
function unknownReaders(graph: Graph, live: NodeSet): ReadonlySet<Node> {
  const holders = new Set([...live].filter((node) => isHandle(node)));
  const found = new Set<Node>();
  for (const holder of holders) {
    for (const node of graph.dataConsumers(holder.name)) {
      if (!live.has(node) || readsHandle(node) || updates(node)) continue;
      if (forwardsHandle(node)) holders.add(node);
      else found.add(node);
    }
  }
  for (const node of live) if (calls(node) && takesResource(node)) found.add(node);
  return found;
}

function takesResource(node: Node): boolean {
  return ['Tin', 'T'].some((key) => attrTypes(node, key)?.includes(DataType.DT_RESOURCE));
}

function trainingIn(fn: FunctionDef): Problem[] {
  const node = (fn.node_def ?? []).find((def) => trains({ op: def.op ?? '' }) && def.attr?.is_training?.b !== false);
  if (!node) return [];
  const name = fn.signature?.name ?? '';
  return [{ code: 'training_in_function', node: node.name ?? '', op: node.op ?? '', function: name }];
}
