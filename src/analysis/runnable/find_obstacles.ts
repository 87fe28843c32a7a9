import { calledNames } from '../../graph/called_functions.js';
import { DataType, dtypeName } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import { makesHandle, opInfo, outputCount, outputType } from '../../ops/registry.js';
import type { Obstacle } from './obstacle.js';

const callsPython = anyOf('python');
const needsAccelerator = anyOf('accelerator');
const joinsReplicas = anyOf('replicas');
const isPlaceholder = anyOf('placeholder');
const readsHandle = anyOf('read', 'gather_variable', 'variable_shape');
const passesHandle = anyOf('identity', 'switch', 'enter', 'next_iteration', 'exit');
/** What a handle became if the graph was frozen in part. */
const isFrozenHandle = anyOf('variable', 'constant');
const isFilledFromOutside = anyOf('pipeline_end');
/** Resources that work as they are, or that others report. */
const isSelfContained = anyOf('variable', 'tensor_array', 'table', 'own_resource');

/**
 * What the ops of a graph need that a frozen graph does not have: Python functions, TPUs, queues that are filled, functions.
 *
 * @param live - the nodes that feed an output
 */
export function findObstacles(graph: Graph, live: NodeSet): Obstacle[] {
  const obstacles: Obstacle[] = [];
  const known = new Set((graph.header.library?.function ?? []).map(({ signature }) => signature?.name ?? ''));
  for (const node of live) {
    const { name, op } = node;
    const tensors = () => dataFrom(graph, live, node);
    if (callsPython(node)) obstacles.push({ code: 'python', node: name, op, tensors: tensors() });
    else if (joinsReplicas(node)) obstacles.push({ code: 'replicas', node: name, op, replicas: replicasOf(node) });
    else if (needsAccelerator(node)) obstacles.push({ code: 'accelerator', node: name, op, tensors: tensors() });
    else if (isUnfilled(node)) obstacles.push({ code: 'resource', node: name, op, tensors: tensors() });
    else if (readsHandle(node)) obstacles.push(...notAVariable(graph, node));
    else if (isPlaceholder(node)) {
      const dtype = outputType(node, 0);
      if (dtype !== undefined && isOpaque(dtype)) {
        obstacles.push({ code: 'unfeedable', node: name, dtype: dtypeName(dtype), tensors: tensors() });
      }
    }
    const missing = calledNames(node.attr).find((called) => !known.has(called));
    if (missing !== undefined) obstacles.push({ code: 'missing_function', node: name, op, function: missing });
  }
  return obstacles;
}

/** Ops of a graph that TensorFlow does not define, each with the first node that has it. */
export function findCustomOps(graph: Graph): Map<string, string> {
  const functions = new Set((graph.header.library?.function ?? []).map(({ signature }) => signature?.name ?? ''));
  const found = new Map<string, string>();
  for (const { op, name } of graph.nodes()) {
    if (!found.has(op) && !functions.has(op) && !opInfo(op)) found.set(op, name);
  }
  return found;
}

/** The tensors with data that begin at a node: its own, or those that are read from the resource that it makes. */
export function dataFrom(graph: Graph, live: NodeSet, from: Node): string[] {
  const found: string[] = [];
  const seen = new Set<Node>([from]);
  for (const node of seen) {
    for (const port of graph.usedPorts(node.name)) {
      const ref: TensorRef = { node: node.name, port };
      const consumers = graph.consumers(ref).filter((consumer) => live.has(consumer));
      if (consumers.length === 0) continue;
      const type = outputType(node, port);
      const isHandle = (type !== undefined && isOpaque(type)) || makesHandle(node.op, port);
      if (!isHandle) found.push(refText(ref));
      else for (const consumer of consumers) seen.add(consumer);
    }
  }
  return found;
}

function notAVariable(graph: Graph, node: Node): Obstacle[] {
  const handle = node.inputs[0] && sourceOf(graph, node.inputs[0], passesHandle);
  const from = handle && graph.get(handle.node);
  const dtype = from && !isFrozenHandle(from) ? outputType(from, handle.port) : undefined;
  if (dtype === undefined || isOpaque(dtype)) return [];
  return [{ code: 'not_a_variable', node: node.name, op: node.op, from: refText(handle!), dtype: dtypeName(dtype) }];
}

function isUnfilled(node: Node): boolean {
  if (isSelfContained(node)) return false;
  return makesHandle(node.op, 0) || (isFilledFromOutside(node) && node.inputs.length === 0);
}

function isOpaque(type: DataType): boolean {
  return type === DataType.DT_RESOURCE || type === DataType.DT_VARIANT;
}

function replicasOf(node: Node): number {
  return Math.max(node.inputs.length, outputCount(node) ?? 0);
}
