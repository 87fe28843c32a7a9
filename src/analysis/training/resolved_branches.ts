import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { topologicalOrder } from '../../graph/walk.js';
import { isMerge, isSelect, isSwitch } from '../../ops/meaning.js';
import { Shapes } from '../values/shapes.js';
import { Branches, selectedInput, takenPort } from './branches.js';

/** A node with a known condition: consumers of its output `port` can read its input `input`. */
export interface ResolvedBranch {
  readonly node: string;
  readonly port: number;
  readonly input: number;
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

/** Finds the branches that constant conditions select. */
export function resolveBranches(graph: Graph, outputs: readonly TensorRef[]): ResolvedBranches {
  const order = topologicalOrder(graph);
  const branches = new Branches(graph, new Map());
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
  const feedsOutput = feeding.has(node);
  if (isSwitch(node)) {
    const port = takenPort(branches, node);
    return port === undefined ? undefined : { node: node.name, port, input: 0, isJoin: false, feedsOutput };
  }
  if (isMerge(node)) {
    const alive = node.inputs.flatMap((ref, index) => (branches.isDead(ref) ? [] : [index]));
    if (alive.length !== 1 || node.inputs.length === 1) return undefined;
    return { node: node.name, port: 0, input: alive[0]!, isJoin: true, feedsOutput };
  }
  const input = isSelect(node) ? selectedInput(branches, node) : undefined;
  if (input === undefined || !keepsShape(shapes, node, input)) return undefined;
  return { node: node.name, port: 0, input, isJoin: true, feedsOutput };
}

/** SelectV2 broadcasts: its value is the branch itself only if that has the shape of the result. */
function keepsShape(shapes: Shapes, node: Node, index: number): boolean {
  if (node.op === 'Select') return true;
  const result = shapes.of({ node: node.name, port: 0 });
  const branch = shapes.of(node.inputs[index]!);
  const other = shapes.of(node.inputs[3 - index]!);
  if (result && branch) return result.length === branch.length && result.every((size, i) => size === branch[i]);
  // A condition that is not a scalar broadcasts the branches as well.
  return other?.length === 0 && (shapes.of(node.inputs[0]!)?.length ?? 0) === 0;
}
