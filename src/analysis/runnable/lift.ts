import type { Graph } from '../../graph/graph.js';
import { type Node, refText, sameRef, type TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { sourceOf } from '../../graph/walk.js';
import { Frames } from '../../ops/frames.js';
import { anyOf, isIdentity, isSwitch } from '../../ops/meaning.js';
import { findBranches, runsOnce, startsIteration, variableOf } from './loop_variables.js';

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
  const loops = { graph, frames, branches: findBranches(graph, frames) };
  for (const output of outputs) {
    const depth = frames.of(output.node).length;
    const found = depth > 0 ? new Walk(loops, depth).from(graph.get(output.node)) : liftedExit(loops, output, fed);
    if (!found) continue;
    for (const key of ['inputs', 'controls', 'exits'] as const) {
      for (const [name, value] of found[key]) (lift[key] as Map<string, unknown>).set(name, value);
    }
  }
  return lift;
}

/** What is known of the loops of a graph. */
interface Loops {
  readonly graph: Graph;
  readonly frames: Frames;
  /** Nodes in loops that run in some iterations only, or not at all. */
  readonly branches: NodeSet;
}

/** An output that is computed from a loop whose last value does not depend on its loop variables. */
function liftedExit(loops: Loops, output: TensorRef, fed: ReadonlySet<string>): Lift | undefined {
  const { graph } = loops;
  if (fed.size === 0) return undefined;
  const source = sourceOf(graph, output, isIdentity);
  const exit = graph.get(source.node);
  if (!isExit(exit)) return undefined;
  const variable = variableOf(graph, graph.inputNode(exit, 0));
  if (!variable || !runsOnce(graph, variable)) return undefined;
  const last = variable.next;
  const found = new Walk(loops, 1).from(graph.get(last.node));
  if (!found || ![...found.inputs.values()].flat().some(({ node }) => fed.has(node))) return undefined;
  return { ...found, exits: new Map([[exit.name, last]]) };
}

/** A walk from a node in a loop back to what enters the loop. */
class Walk {
  readonly #graph: Graph;
  readonly #frames: Frames;
  readonly #branches: NodeSet;
  /** How many loops are left, counted from outside. */
  readonly #depth: number;
  /** The tensors outside that replace tensors of the loops. */
  readonly #outside = new Map<string, TensorRef | undefined>();

  constructor({ graph, frames, branches }: Loops, depth: number) {
    this.#graph = graph;
    this.#frames = frames;
    this.#branches = branches;
    this.#depth = depth;
  }

  /** What to change to move a node out; undefined if it depends on a loop variable. */
  from(start: Node): Lift | undefined {
    const graph = this.#graph;
    const inputs = new Map<string, readonly TensorRef[]>();
    const controls = new Map<string, readonly string[]>();
    const moved = new NodeSet(graph, [start]);
    for (const node of moved) {
      if (this.#isLeft(node.name) && startsIteration(graph, node)) return undefined;
      const own = node.inputs.map((ref) => this.#leave(ref));
      if (own.some((ref, i) => !sameRef(ref, node.inputs[i]!))) inputs.set(node.name, own);
      for (const ref of own) if (this.#isInside(ref.node)) moved.add(graph.get(ref.node));
      // What starts an iteration is left behind; what chooses a branch is not.
      const kept = node.controls.filter((name) => !this.#isLeft(name) || this.#branches.hasNamed(name));
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
