import { attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, hasRole, isSelect, isSwitch } from '../../ops/meaning.js';
import { outputType } from '../../ops/registry.js';
import { isVariable } from '../state/variables.js';
import { constantScalar } from '../values/constants.js';

const isPlaceholder = anyOf('placeholder');
/** Whether an op forwards a value, perhaps in another dtype or shape. */
export const forwardsValue = anyOf('identity', 'switch', 'enter', 'cast', 'reshape');
/** The same, or whether it reads a variable. */
export const readsValue = anyOf('identity', 'switch', 'enter', 'cast', 'reshape', 'read');
const compares = anyOf('comparison');
/** Ops that compute a condition from others. */
const combines = anyOf('logic', 'comparison', 'slice');

/** Whether a node forwards a condition or computes one from others. */
export function computesCondition(node: Node): boolean {
  return readsValue(node) || combines(node);
}

/** The condition that a Switch or a Select depends on; undefined for other nodes. */
export function conditionOf(node: Node): TensorRef | undefined {
  if (isSwitch(node)) return node.inputs[1];
  return isSelect(node) ? node.inputs[0] : undefined;
}

/** The conditions of Switch and Select ops, each once, except for conditions of loops. */
export function conditionsOf(graph: Graph, live: NodeSet): TensorRef[] {
  const found = new Map<string, TensorRef>();
  for (const node of live) {
    const condition = conditionOf(node);
    if (!condition) continue;
    const source = sourceOf(graph, condition, forwardsValue);
    if (graph.find(source.node)?.op !== 'LoopCond') found.set(refText(source), source);
  }
  return [...found.values()];
}

/** Whether a condition depends only on scalar placeholders, variables and constants, not on data or random ops. */
export function isMode(graph: Graph, condition: TensorRef): boolean {
  const seen = new Set([condition.node]);
  for (const name of seen) {
    const node = graph.find(name);
    if (!node) return false;
    if (isPlaceholder(node) || isVariable(node)) {
      if (!hasOneElement(node)) return false;
    } else if (node.op !== 'Const' && !computesCondition(node)) return false;
    for (const ref of node.inputs) seen.add(ref.node);
  }
  return true;
}

/** Placeholders and variables from which conditions are computed by logic and comparisons, in file order. */
export function rootsOf(graph: Graph, conditions: readonly TensorRef[]): string[] {
  const found = new NodeSet(graph);
  const seen = new NodeSet(
    graph,
    conditions.flatMap(({ node }) => graph.find(node) ?? []),
  );
  for (const node of seen) {
    const isRoot = isPlaceholder(node) || isVariable(node) || hasRole(node, 'assign_add');
    if (isRoot && isScalarNumber(node)) found.add(node);
    else if (computesCondition(node)) {
      const inputs = graph.inputNodes(node);
      for (const input of isSwitch(node) ? inputs.slice(0, 1) : inputs) seen.add(input);
    }
  }
  return [...found].sort((a, b) => a.id - b.id).map((node) => node.name);
}

/** Whether nodes in use compare a number with another one than 0, 1, or a threshold between them. */
export function hasMoreThanTwoValues(graph: Graph, root: string, isLive: (node: Node) => boolean): boolean {
  const isBeyond = (ref: TensorRef) => Math.abs((constantScalar(graph, ref) ?? 0.5) - 0.5) > 0.5;
  const seen = new NodeSet(graph, [graph.get(root)]);
  for (const node of seen) {
    for (const consumer of graph.dataConsumers(node.name)) {
      const isRead = readsValue(consumer) && consumer.inputs[0]!.node === node.name;
      if (isRead) seen.add(consumer);
      else if (compares(consumer) && isLive(consumer) && consumer.inputs.some(isBeyond)) return true;
    }
  }
  return false;
}

const NUMBERS: ReadonlySet<DataType> = new Set([
  DataType.DT_BOOL,
  DataType.DT_INT32,
  DataType.DT_INT64,
  DataType.DT_UINT8,
  DataType.DT_FLOAT,
]);

/** Whether a placeholder or a variable is one number, or one bool. */
export function isScalarNumber(node: Node): boolean {
  const type = isVariable(node) ? attrType(node, 'dtype') : outputType(node, 0);
  return type !== undefined && NUMBERS.has(type) && hasOneElement(node);
}

/** Whether the declared shape of a placeholder or a variable has one element; an undeclared one counts as such. */
function hasOneElement(node: Node): boolean {
  return (node.attr.shape?.shape?.dim ?? []).every((dim) => Number(dim.size) === 1);
}
