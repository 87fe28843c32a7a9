import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { readNumbers } from '../../graph/tensor.js';
import { topologicalOrder } from '../../graph/walk.js';
import { scalarOf } from '../../ops/meaning.js';

/**
 * Removes transposes that undo each other, as are between two ops that were given channels last. An op that computes each element by
 * itself is moved before the transpose that it reads, so that more of them meet.
 * @param outputs - nodes that keep their names
 */
export function mergeTransposes(graph: Graph, outputs: ReadonlySet<string>): void {
  for (const node of topologicalOrder(graph)) {
    const [input] = node.inputs;
    const before = input && graph.producer(input);
    if (!before || node.controls.length > 0 || !orderOf(graph, before)) continue;
    if (undo(graph, before, node)) {
      const value = before.inputs[0]!;
      if (outputs.has(node.name)) graph.replace(node, { op: 'Identity', inputs: [value] });
      else graph.replaceUses({ node: node.name, port: 0 }, value);
    } else if (node.inputs.length === 1 && scalarOf(node.op)) moveBefore(graph, before, node);
  }
}

/** The order of a Transpose, if it is a constant. */
function orderOf(graph: Graph, node: Node): readonly number[] | undefined {
  const order = node.op === 'Transpose' && node.inputs[1] ? graph.producer(node.inputs[1]).tensor : undefined;
  return order && [...readNumbers(order)];
}

function undo(graph: Graph, first: Node, second: Node): boolean {
  const [a, b] = [orderOf(graph, first), orderOf(graph, second)];
  return a !== undefined && (b?.every((axis, i) => a[axis] === i) ?? false);
}

function moveBefore(graph: Graph, transpose: Node, node: Node): void {
  const [value, order] = transpose.inputs as [TensorRef, TensorRef];
  const { op, attr } = node;
  const moved = graph.add({ name: graph.freeName(`${node.name}/channels_last`), op, inputs: [value], attr });
  graph.replace(node, { op: 'Transpose', inputs: [{ node: moved.name, port: 0 }, order], attr: transpose.attr });
}
