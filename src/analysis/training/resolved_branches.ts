import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { topologicalOrder } from '../../graph/walk.js';
import { isMerge, isSelect, isSwitch } from '../../ops/meaning.js';
import type { Pins } from '../values/constants.js';
import { Shapes } from '../values/shapes.js';
import { Branches, selectedInput, takenPort } from './branches.js';

/** A node with a known condition: consumers of its output `port` can read another tensor instead. */
export interface ResolvedBranch {
  readonly node: string;
  readonly port: number;
  /** What it outputs. */
  readonly to: TensorRef;
  /** The index of the input that it outputs; undefined for arithmetic with a flag: `0 * batch + moving`. */
  readonly input: number | undefined;
  /** Whether it joins branches, or selects a tensor, and feeds an output: the end of a branch, not its beginning. */
  readonly isJoin: boolean;
  readonly feedsOutput: boolean;
}

/** Which branches of a graph are taken, and the nodes on untaken ones. */
export interface ResolvedBranches {
  /** In topological order. */
  readonly resolved: readonly ResolvedBranch[];
  readonly isDead: (ref: TensorRef) => boolean;
  readonly isDeadNode: (node: Node) => boolean;
}

/**
 * Finds the branches that constant conditions select.
 * @param pins - flags that were pinned: arithmetic with them is resolved as well
 */
export function resolveBranches(graph: Graph, outputs: readonly TensorRef[], pins: Pins): ResolvedBranches {
  const order = topologicalOrder(graph);
  const branches = new Branches(graph, pins);
  const shapes = new Shapes(graph);
  const feeding = branches.needed(outputs);
  const resolved = order
    .filter((node) => !branches.isDeadNode(node))
    .flatMap((node) => resolvedAt(node, branches, shapes, feeding) ?? []);
  return {
    resolved,
    isDead: (ref) => branches.isDead(ref),
    isDeadNode: (node) => branches.isDeadNode(node),
  };
}

function resolvedAt(node: Node, branches: Branches, shapes: Shapes, feeding: NodeSet): ResolvedBranch | undefined {
  const found = { node: node.name, port: 0, isJoin: true, feedsOutput: feeding.has(node) };
  if (isSwitch(node)) {
    const port = takenPort(branches, node);
    return port === undefined ? undefined : { ...found, port, to: node.inputs[0]!, input: 0, isJoin: false };
  }
  if (isMerge(node)) {
    const alive = node.inputs.flatMap((ref, index) => (branches.isDead(ref) ? [] : [index]));
    if (alive.length !== 1 || node.inputs.length === 1) return undefined;
    return { ...found, to: node.inputs[alive[0]!]!, input: alive[0] };
  }
  if (isSelect(node)) {
    const input = selectedInput(branches, node);
    if (input === undefined || !keepsShape(shapes, node, input)) return undefined;
    return { ...found, to: node.inputs[input]!, input };
  }
  const to = branches.pinned.forwarded(node);
  if (!to || !hasShapeOf(shapes, node, to)) return undefined;
  return { ...found, to, input: undefined };
}

/** SelectV2 broadcasts: its value is the branch itself only if that has the shape of the result. */
function keepsShape(shapes: Shapes, node: Node, index: number): boolean {
  if (node.op === 'Select' || hasShapeOf(shapes, node, node.inputs[index]!)) return true;
  const result = shapes.of({ node: node.name, port: 0 });
  const branch = shapes.of(node.inputs[index]!);
  const other = shapes.of(node.inputs[3 - index]!);
  // A condition that is not a scalar broadcasts the branches as well.
  return !(result && branch) && other?.length === 0 && (shapes.of(node.inputs[0]!)?.length ?? 0) === 0;
}

/** Whether a node certainly outputs a tensor of the shape of another. */
function hasShapeOf(shapes: Shapes, node: Node, { node: name, port }: TensorRef): boolean {
  const result = shapes.of({ node: node.name, port: 0 });
  const shape = shapes.of({ node: name, port });
  if (!result || !shape || result.length !== shape.length) return false;
  return result.every((size, i) => size === shape[i]);
}
