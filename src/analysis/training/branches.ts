import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { topologicalOrder } from '../../graph/walk.js';
import { isMerge, isSelect, isSwitch } from '../../ops/meaning.js';
import type { Pins } from '../values/constants.js';
import { PinnedConstants } from '../values/pinned_constants.js';
import { PinnedValues } from '../values/pinned_values.js';

/** Which conditions are known, and what never runs because of them. */
export interface BranchState {
  /** The value of a condition; undefined if known only at run time. */
  numberAt(condition: TensorRef): number | undefined;
  /** Whether a tensor never has a value: it is on a branch that is not taken. */
  isDead(ref: TensorRef): boolean;
  /** Whether a node is on a branch that is never taken. */
  isDeadNode(node: Node | undefined): boolean;
  /** What follows from pins by arithmetic. */
  readonly pinned: PinnedValues;
}

/** The inputs of a node that its value depends on. */
export function neededInputs(graph: Graph, state: BranchState, node: Node): readonly (Node | undefined)[] {
  const inputs = graph.inputNodes(node);
  if (isMerge(node)) return inputs.filter((_, i) => !state.isDead(node.inputs[i]!));
  if (isSwitch(node) && takenPort(state, node) !== undefined) return inputs.slice(0, 1);
  if (state.pinned.of({ node: node.name, port: 0 }) !== undefined) return [];
  if (isSelect(node)) {
    const selected = selectedInput(state, node);
    return selected === undefined ? inputs : [inputs[selected]];
  }
  const forwarded = state.pinned.forwarded(node);
  return forwarded ? [graph.find(forwarded.node)] : inputs;
}

/** The port of a Switch that has a value (0 false, 1 true); undefined if known only at run time. */
export function takenPort(state: BranchState, { inputs }: Node): 0 | 1 | undefined {
  const value = inputs[1] && state.numberAt(inputs[1]);
  return value === undefined ? undefined : value ? 1 : 0;
}

/** The input that a Select outputs: 1 if the condition is true, 2 if false; undefined if known only at run time. */
export function selectedInput(state: BranchState, { inputs }: Node): 1 | 2 | undefined {
  const value = inputs[0] && state.numberAt(inputs[0]);
  return value === undefined ? undefined : value ? 1 : 2;
}

/**
 * Calls `kill` with each node that never has a value because the given tensors have none.
 * @returns the Merges that were reached, dead or not
 */
export function killFrom(
  graph: Graph,
  untaken: readonly TensorRef[],
  state: BranchState,
  kill: (node: Node) => void,
): Set<Node> {
  const merges = new Set<Node>();
  const waiting = untaken.flatMap((ref) => graph.consumers(ref));
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (isMerge(node)) merges.add(node);
    if (state.isDeadNode(node) || !dies(graph, state, node)) continue;
    kill(node);
    for (const consumer of graph.dataConsumers(node.name)) waiting.push(consumer);
    for (const consumer of graph.controlConsumers(node.name)) waiting.push(consumer);
  }
  return merges;
}

/** Whether a node never has a value, given what is known about its inputs so far. */
function dies(graph: Graph, state: BranchState, node: Node): boolean {
  const { inputs, controls } = node;
  const isDead = (ref: TensorRef) => state.isDead(ref);
  if (isMerge(node)) return inputs.length > 0 && inputs.every(isDead);
  return inputs.some(isDead) || controls.some((name) => state.isDeadNode(graph.find(name)));
}

/**
 * The part of a graph that remains when flags are pinned: which tensors never have a value, and what the outputs need.
 * Loop conditions change per iteration, so a Switch driven by LoopCond is never resolved.
 */
export class Branches implements BranchState {
  readonly deadNodes: NodeSet;
  /** Switches with a known condition, and their port that never has a value. */
  readonly deadPorts = new Map<string, 0 | 1>();
  readonly constants: PinnedConstants;
  readonly pinned: PinnedValues;
  readonly #graph: Graph;

  constructor(graph: Graph, pins: Pins) {
    this.#graph = graph;
    this.constants = new PinnedConstants(graph, pins);
    this.pinned = new PinnedValues(graph, pins);
    this.deadNodes = new NodeSet(graph);
    const untaken: TensorRef[] = [];
    for (const node of topologicalOrder(graph)) {
      const taken = isSwitch(node) ? takenPort(this, node) : undefined;
      if (taken === undefined) continue;
      const port = taken === 1 ? 0 : 1;
      this.deadPorts.set(node.name, port);
      untaken.push({ node: node.name, port });
    }
    killFrom(graph, untaken, this, (node) => this.deadNodes.add(node));
  }

  numberAt(condition: TensorRef): number | undefined {
    return this.pinned.of(condition) ?? this.constants.numberAt(condition);
  }

  isDead(ref: TensorRef): boolean {
    if (this.deadPorts.size === 0) return false;
    return this.deadPorts.get(ref.node) === ref.port || this.deadNodes.hasNamed(ref.node);
  }

  isDeadNode(node: Node | undefined): boolean {
    return this.deadNodes.has(node);
  }

  /** The nodes that feed the given tensors. */
  needed(outputs: readonly TensorRef[]): NodeSet {
    return neededBy(this.#graph, this, outputs);
  }
}

/** The nodes that feed the given tensors. */
export function neededBy(graph: Graph, state: BranchState, outputs: readonly TensorRef[]): NodeSet {
  const found = new NodeSet(graph);
  for (const ref of outputs) found.add(graph.find(ref.node));
  for (const node of found) for (const input of neededInputs(graph, state, node)) found.add(input);
  return found;
}
