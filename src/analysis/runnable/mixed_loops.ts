import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { topologicalOrder } from '../../graph/walk.js';
import { type FrameStack, Frames } from '../../ops/frames.js';
import { anyOf } from '../../ops/meaning.js';
import type { Obstacle } from './obstacle.js';

const isEnter = anyOf('enter');

/** Nodes whose inputs are in different loops, and outputs that are in a loop: TensorFlow refuses to run both. */
export function findMixedLoops(graph: Graph, outputs: readonly TensorRef[]): Obstacle[] {
  const nodes = topologicalOrder(graph);
  if (!nodes.some(isEnter)) return [];
  const frames = new Frames(graph);
  const obstacles = nodes.flatMap((node): Obstacle[] => {
    const [first, ...others] = inputsOf(graph, node);
    const other = others.find(({ name }) => !isSame(frames.of(name), frames.of(first!.name)));
    return other ? [{ code: 'mixed_loops', node: node.name, op: node.op, inputs: [first!.name, other.name] }] : [];
  });
  for (const { node } of outputs) {
    const loop = frames.of(node).at(-1);
    if (loop !== undefined) obstacles.push({ code: 'output_in_loop', node, loop });
  }
  return obstacles;
}

function isSame(a: FrameStack, b: FrameStack): boolean {
  return a === b || (a.length === b.length && a.every((name, i) => name === b[i]));
}

function inputsOf(graph: Graph, node: Node): Node[] {
  const controls = node.controls.map((name) => graph.find(name));
  return [...graph.inputNodes(node), ...controls].filter((input) => input !== undefined);
}
