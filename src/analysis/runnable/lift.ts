import type { Graph } from '../../graph/graph.js';
import { type Node, refText, sameRef, type TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { sourceOf } from '../../graph/walk.js';
import { Frames } from '../../ops/frames.js';
import { anyOf, isIdentity, isMerge, isSwitch } from '../../ops/meaning.js';
import { constantScalar } from '../values/constants.js';

/** What to move out of loops: nodes that do not depend on loop variables, and the tensors that replace loop constants. */
export interface Lift {
  /** The inputs of moved nodes, where they change. */
  readonly inputs: ReadonlyMap<string, readonly TensorRef[]>;
  /** The control inputs of moved nodes, where they change. */
  readonly controls: ReadonlyMap<string, readonly string[]>;
  /** Ends of loops that have the value of a moved tensor: Exit ops. */
  readonly exits: ReadonlyMap<string, TensorRef>;
}

const isEnter = anyOf('enter');
const isExit = anyOf('exit');
const isLoopCond = anyOf('loop_cond');
const isNextIteration = anyOf('next_iteration');

/**
 * Finds what can be moved out of v1 loops: the part of the net that feeds an output in the body of a loop, or an output that
 * is the last value of a tensor which has the same value in every iteration.
 *
 * @param fed - placeholders that were cut out of loops
 */
export function findLift(graph: Graph, outputs: readonly TensorRef[], fed: ReadonlySet<string>): Lift {
  const lift = { inputs: new Map(), controls: new Map(), exits: new Map() };
  if (![...graph.nodes()].some(isEnter)) return lift;
  const frames = new Frames(graph);
  for (const output of outputs) {
    const loops = frames.of(output.node);
    const found =
      loops.length > 0
        ? new Walk(graph, frames, loops.length).from(graph.get(output.node))
        : liftedExit(graph, frames, output, fed);
    if (!found) continue;
    for (const key of ['inputs', 'controls', 'exits'] as const) {
      for (const [name, value] of found[key]) (lift[key] as Map<string, unknown>).set(name, value);
    }
  }
  return lift;
}

/** An output that is computed from a loop whose last value does not depend on its loop variables. */
function liftedExit(graph: Graph, frames: Frames, output: TensorRef, fed: ReadonlySet<string>): Lift | undefined {
  if (fed.size === 0) return undefined;
  const source = sourceOf(graph, output, isIdentity);
  const exit = graph.get(source.node);
  if (!isExit(exit) || frames.of(exit.name).length !== 0) return undefined;
  const variable = variableOf(graph, graph.inputNode(exit, 0));
  if (!variable || !runsOnce(graph, variable)) return undefined;
  const last = variable.next;
  const found = new Walk(graph, frames, 1).from(graph.get(last.node));
  if (!found || ![...found.inputs.values()].flat().some(({ node }) => fed.has(node))) return undefined;
  return { ...found, exits: new Map([[exit.name, last]]) };
}

/** A variable of a v1 loop. */
interface LoopVariable {
  readonly merge: Node;
  readonly pred: TensorRef;
  readonly initial: TensorRef;
  readonly next: TensorRef;
}

/** The loop variable that a Switch at the beginning of an iteration passes on. */
function variableOf(graph: Graph, node: Node | undefined): LoopVariable | undefined {
  if (!node || !isSwitch(node) || !isLoopCond(graph.inputNode(node, 1))) return undefined;
  const merge = graph.inputNode(node, 0);
  if (!merge || !isMerge(merge)) return undefined;
  const inputs = graph.inputNodes(merge);
  const [back, enter] = [inputs.find(isNextIteration), inputs.find(isEnter)];
  const pred = graph.inputNode(node, 1)?.inputs[0];
  if (!back || !enter || !pred) return undefined;
  return { merge, pred, initial: enter.inputs[0]!, next: back.inputs[0]! };
}

/** Whether the condition of a loop holds before the first iteration. */
function runsOnce(graph: Graph, { pred }: LoopVariable): boolean {
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

/** A walk from a node in a loop back to what enters the loop. */
class Walk {
  readonly #graph: Graph;
  readonly #frames: Frames;
  /** How many loops are left, counted from outside. */
  readonly #depth: number;
  /** The tensors outside that replace tensors of the loops. */
  readonly #outside = new Map<string, TensorRef | undefined>();

  constructor(graph: Graph, frames: Frames, depth: number) {
    this.#graph = graph;
    this.#frames = frames;
    this.#depth = depth;
  }

  /** What to change to move a node out; undefined if it depends on a loop variable. */
  from(start: Node): Lift | undefined {
    const graph = this.#graph;
    const inputs = new Map<string, readonly TensorRef[]>();
    const controls = new Map<string, readonly string[]>();
    const moved = new NodeSet(graph, [start]);
    for (const node of moved) {
      if (this.#isVariable(node)) return undefined;
      const own = node.inputs.map((ref) => this.#leave(ref));
      if (own.some((ref, i) => !sameRef(ref, node.inputs[i]!))) inputs.set(node.name, own);
      for (const ref of own) if (this.#isInside(ref.node)) moved.add(graph.get(ref.node));
      const kept = node.controls.filter((name) => !this.#isLeft(name) || this.#isBranch(name));
      if (kept.length < node.controls.length) controls.set(node.name, kept);
      for (const name of kept) if (this.#isInside(name)) moved.add(graph.get(name));
    }
    return { inputs, controls, exits: new Map() };
  }

  /** Whether a node is in a loop, a left one or one inside it. */
  #isInside(name: string): boolean {
    return this.#frames.of(name).length > 0;
  }

  /** Whether a node is in a loop that is left, but in no loop inside it. */
  #isLeft(name: string): boolean {
    const { length } = this.#frames.of(name);
    return length > 0 && length <= this.#depth;
  }

  #isVariable(node: Node): boolean {
    return this.#isLeft(node.name) && isMerge(node) && this.#graph.inputNodes(node).some(isNextIteration);
  }

  /** Whether a control input chooses a branch, in the loop or around it, and not an iteration. */
  #isBranch(name: string): boolean {
    const graph = this.#graph;
    const node = graph.find(sourceOf(graph, { node: name, port: 0 }, isIdentity).node);
    return node !== undefined && isSwitch(node) && !isLoopCond(graph.inputNode(node, 1));
  }

  /** The tensor outside of the loops that has the same value; the tensor itself if it is computed in them. */
  #leave(ref: TensorRef): TensorRef {
    let at = ref;
    const seen = new Set<string>();
    while (!seen.has(refText(at)) && this.#isLeft(at.node)) {
      seen.add(refText(at));
      const outside = this.#around(at);
      if (!outside) return at;
      at = outside;
    }
    return at;
  }

  /** The input of an Enter, or the initial value of a loop variable that never changes. */
  #around(ref: TensorRef): TensorRef | undefined {
    const key = refText(ref);
    if (this.#outside.has(key)) return this.#outside.get(key);
    const graph = this.#graph;
    const node = graph.get(ref.node);
    const outside = isEnter(node) ? node.inputs[0] : this.#unchanged(ref);
    this.#outside.set(key, outside);
    return outside;
  }

  #unchanged(ref: TensorRef): TensorRef | undefined {
    const graph = this.#graph;
    const source = sourceOf(graph, ref, isIdentity);
    const variable = source.port === 1 ? variableOf(graph, graph.get(source.node)) : undefined;
    if (!variable) return undefined;
    const again = sourceOf(graph, variable.next, isIdentity);
    const isSame = again.port === 1 && graph.inputNode(graph.get(again.node), 0) === variable.merge;
    return isSame && isSwitch(graph.get(again.node)) ? variable.initial : undefined;
  }
}
