import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { spread } from '../../graph/walk.js';
import type { Frames } from '../../ops/frames.js';
import { anyOf, isMerge, isSwitch } from '../../ops/meaning.js';
import { constantScalar } from '../values/constants.js';

const isEnter = anyOf('enter');
const isLoopCond = anyOf('loop_cond');
const isNextIteration = anyOf('next_iteration');

/** A variable of a v1 loop. */
export interface LoopVariable {
  /** Has its value at the beginning of an iteration. */
  readonly merge: Node;
  /** The condition of the loop. */
  readonly pred: TensorRef;
  /** Its value before the first iteration, outside the loop. */
  readonly initial: TensorRef;
  /** Its value after an iteration. */
  readonly next: TensorRef;
}

/** The loop variable that a Switch at the beginning of an iteration passes on. */
export function variableOf(graph: Graph, node: Node | undefined): LoopVariable | undefined {
  if (!node || !isSwitch(node) || !isLoopCond(graph.inputNode(node, 1))) return undefined;
  const merge = graph.inputNode(node, 0);
  if (!merge || !isMerge(merge)) return undefined;
  const inputs = graph.inputNodes(merge);
  const [back, enter] = [inputs.find(isNextIteration), inputs.find(isEnter)];
  const pred = graph.inputNode(node, 1)?.inputs[0];
  if (!back || !enter || !pred) return undefined;
  return { merge, pred, initial: enter.inputs[0]!, next: back.inputs[0]! };
}

/** Whether a node has the value of a loop variable at the beginning of an iteration. */
export function startsIteration(graph: Graph, node: Node): boolean {
  return isMerge(node) && graph.inputNodes(node).some(isNextIteration);
}

/** Whether the condition of a loop holds before the first iteration. */
export function runsOnce(graph: Graph, { pred }: LoopVariable): boolean {
  const pins = new Map<string, number>();
  const seen = new NodeSet(graph, [graph.get(pred.node)]);
  for (const node of seen) {
    if (!isMerge(node)) {
      for (const input of graph.inputNodes(node)) seen.add(input);
      continue;
    }
    const enter = graph.inputNodes(node).find(isEnter);
    const initial = enter && constantScalar(graph, enter.inputs[0]);
    if (initial !== undefined) pins.set(node.name, initial);
  }
  return constantScalar(graph, pred, pins) === 1;
}

/** The nodes in loops that a branch in a loop chooses: from the Switch that begins it to the Merge that ends it. */
export function findBranches(graph: Graph, frames: Frames): NodeSet {
  return spread(graph, (node, found) => {
    if (frames.of(node.name).length === 0) return false;
    if (isSwitch(node) && !isLoopCond(graph.inputNode(node, 1))) return true;
    if (isMerge(node) && !startsIteration(graph, node)) return false;
    return graph.inputNodes(node).some((input) => found.has(input)) || node.controls.some((at) => found.hasNamed(at));
  });
}
