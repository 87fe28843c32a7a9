import type { Graph } from '../../graph/graph.js';
import { memoizeByVersion } from '../../graph/memo.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { sourceOf, topologicalOrder } from '../../graph/walk.js';
import { anyOf, isMerge, meaningOf } from '../../ops/meaning.js';
import { eitherShape, isNextIteration } from '../../ops/shape_rules/elementwise.js';
import type { Shape, ShapeContext } from '../../ops/shape_rules/rule.js';
import { constantValue } from './constants.js';

export type { Shape } from '../../ops/shape_rules/rule.js';

/**
 * Static shapes of a graph, inferred from the ops themselves. The `_output_shapes` that files carry are not trusted:
 * published graphs have ones that contradict the graph. Worked out once between two changes of the graph.
 */
export class Shapes {
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Sizes of a tensor, -1 for an unknown size; undefined for an unknown rank. */
  of(ref: TensorRef): Shape {
    return inferredShapes(this.#graph).get(refText(ref));
  }
}

type Known = Map<string, Shape>;

const inferredShapes = memoizeByVersion(
  (graph: Graph): ReadonlyMap<string, Shape> => inferShapes(graph),
  (graph) => graph,
);

function inferShapes(graph: Graph): Known {
  const known: Known = new Map();
  const order = topologicalOrder(graph);
  for (const node of order) infer(graph, node, known);
  // What a loop computes in one turn is what it begins the next one with: again, until nothing more is given up.
  while (order.filter((node) => isLoopStart(graph, node) && !isStable(graph, node, known)).length > 0) {
    for (const node of order) if (!isLoopStart(graph, node)) infer(graph, node, known);
  }
  return known;
}

function infer(graph: Graph, node: Node, known: Known): void {
  const result = meaningOf(node.op)?.shape?.(contextOf(graph, node, known));
  if (result === undefined) known.delete(node.name);
  else if (!isPorts(result)) known.set(node.name, result);
  else for (const [port, shape] of result.entries()) known.set(refText({ node: node.name, port }), shape);
}

function isLoopStart(graph: Graph, node: Node): boolean {
  return isMerge(node) && graph.inputNodes(node).some(isNextIteration);
}

/** Whether a turn leaves the shape as it was; where it does not, what differs is not known any more. */
function isStable(graph: Graph, merge: Node, known: Known): boolean {
  const before = known.get(merge.name);
  const back = graph.inputNodes(merge).findIndex(isNextIteration);
  const after = known.get(refText(merge.inputs[back]!));
  if (!before || !after) return true;
  const both = eitherShape(before, after);
  known.set(merge.name, both);
  return both?.every((size, axis) => size === before[axis]) ?? false;
}

/** What outputs a variable itself as its input does. */
const forwardsHandle = anyOf('identity', 'enter', 'switch');

function contextOf(graph: Graph, node: Node, known: Known): ShapeContext {
  return {
    node,
    shape: (index) => node.inputs[index] && known.get(refText(node.inputs[index])),
    constant: (index) => node.inputs[index] && constantValue(graph, node.inputs[index]),
    source: (index) => graph.inputNode(node, index),
    handle: (index) => node.inputs[index] && graph.find(sourceOf(graph, node.inputs[index], forwardsHandle).node),
    producer: graph.header.versions?.producer ?? 0,
  };
}

function isPorts(result: readonly number[] | readonly Shape[]): result is readonly Shape[] {
  return result.length > 0 && typeof result[0] !== 'number';
}
