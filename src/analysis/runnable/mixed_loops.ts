import { attrString } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { hasLoops, topologicalOrder } from '../../graph/walk.js';
import { anyOf, isMerge } from '../../ops/meaning.js';
import type { Obstacle } from './obstacle.js';

/** A frame of a v1 loop. A frame is one object, so that frames can be compared. */
interface Frame {
  readonly name: string;
  readonly parent: Frame | undefined;
  readonly inner: Map<string, Frame>;
}

const isEnter = anyOf('enter');
const isExit = anyOf('exit');
const isNextIteration = anyOf('next_iteration');

/** Nodes whose inputs are in different loops, and outputs that are in a loop: TensorFlow refuses to run both. */
export function findMixedLoops(graph: Graph, outputs: readonly TensorRef[]): Obstacle[] {
  const nodes = topologicalOrder(graph);
  if (!nodes.some(isEnter)) return [];
  const outermost: Frame = { name: '', parent: undefined, inner: new Map() };
  const frames = new Map<Node, Frame>();
  const obstacles: Obstacle[] = [];
  for (const node of nodes) {
    const inputs = inputsOf(graph, node).filter((input) => frames.has(input));
    const [first] = inputs;
    const frame = first ? leaving(first, frames.get(first)!) : outermost;
    const other = inputs.find((input) => leaving(input, frames.get(input)!) !== frame);
    if (first && other) {
      obstacles.push({ code: 'mixed_loops', node: node.name, op: node.op, inputs: [first.name, other.name] });
    }
    frames.set(node, isEnter(node) ? entered(frame, attrString(node, 'frame_name') ?? '') : frame);
  }
  if (hasLoops(graph)) obstacles.push(...brokenTurns(graph, nodes, frames));
  for (const { node } of outputs) {
    const at = graph.get(node);
    const frame = leaving(at, frames.get(at)!);
    if (frame !== outermost) obstacles.push({ code: 'output_in_loop', node, loop: frame.name });
  }
  return obstacles;
}

/** The frame of what a node outputs: an Exit outputs to the frame around its own. */
function leaving(node: Node, frame: Frame): Frame {
  return isExit(node) ? (frame.parent ?? frame) : frame;
}

function entered(frame: Frame, name: string): Frame {
  const known = frame.inner.get(name);
  if (known) return known;
  const inner: Frame = { name, parent: frame, inner: new Map() };
  frame.inner.set(name, inner);
  return inner;
}

function inputsOf(graph: Graph, node: Node): Node[] {
  const controls = node.controls.map((name) => graph.find(name));
  return [...graph.inputNodes(node), ...controls].filter((input) => input !== undefined);
}

/** Loop variables whose next value is computed in another loop. */
function brokenTurns(graph: Graph, nodes: readonly Node[], frames: ReadonlyMap<Node, Frame>): Obstacle[] {
  return nodes.filter(isMerge).flatMap((merge): Obstacle[] => {
    const back = graph.inputNodes(merge).find(isNextIteration);
    if (!back || frames.get(back) === frames.get(merge)) return [];
    return [{ code: 'mixed_loops', node: merge.name, op: merge.op, inputs: [merge.inputs[0]!.node, back.name] }];
  });
}
