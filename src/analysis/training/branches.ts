import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { topologicalOrder } from '../../graph/walk.js';
import { isMerge, isSelect, isSwitch } from '../../ops/meaning.js';
import { constantScalar, type Pins } from '../values/constants.js';

/**
 * The part of a graph that remains when flags are pinned: which tensors never have a value, and what the outputs need.
 * Loop conditions change per iteration, so a Switch driven by LoopCond is never resolved.
 */
export class Branches {
  readonly #graph: Graph;
  readonly #order: readonly Node[];
  readonly #pins: Pins;
  readonly #values = new Map<string, number | undefined>();
  readonly #deadNodes: NodeSet;
  /** Switches with a known condition, and their port that never has a value. */
  readonly #deadPorts = new Map<string, 0 | 1>();

  constructor(graph: Graph, pins: Pins, order: readonly Node[] = topologicalOrder(graph)) {
    this.#graph = graph;
    this.#pins = pins;
    this.#order = order;
    this.#deadNodes = new NodeSet(graph);
    this.#findDead();
  }

  /** Whether a tensor never has a value: it is on a branch that is not taken. */
  isDead(ref: TensorRef): boolean {
    if (this.#deadPorts.size === 0) return false;
    return this.#deadPorts.get(ref.node) === ref.port || this.#deadNodes.hasNamed(ref.node);
  }

  /** Whether a node is on a branch that is never taken. */
  isDeadNode(node: Node): boolean {
    return this.#deadNodes.has(node);
  }

  /** The port of a Switch that has a value (0 false, 1 true); undefined if known only at run time. */
  taken(node: Node): 0 | 1 | undefined {
    const value = this.#valueOf(node.inputs[1]);
    return value === undefined ? undefined : value ? 1 : 0;
  }

  /** The input that a Select outputs: 1 if the condition is true, 2 if false; undefined if known only at run time. */
  selected(node: Node): 1 | 2 | undefined {
    const value = this.#valueOf(node.inputs[0]);
    return value === undefined ? undefined : value ? 1 : 2;
  }

  /** The value of a condition, cached: a hundred switches may share it. */
  #valueOf(condition: TensorRef | undefined): number | undefined {
    if (!condition) return undefined;
    const key = refText(condition);
    if (!this.#values.has(key)) this.#values.set(key, constantScalar(this.#graph, condition, this.#pins));
    return this.#values.get(key);
  }

  /** The nodes that feed the given tensors. */
  needed(outputs: readonly TensorRef[]): NodeSet {
    const found = new NodeSet(this.#graph);
    for (const ref of outputs) found.add(this.#graph.find(ref.node));
    for (const node of found) for (const input of this.#needs(node)) found.add(input);
    return found;
  }

  #needs(node: Node): readonly (Node | undefined)[] {
    const inputs = this.#graph.inputNodes(node);
    if (isMerge(node)) return inputs.filter((_, i) => !this.isDead(node.inputs[i]!));
    if (isSwitch(node) && this.taken(node) !== undefined) return inputs.slice(0, 1);
    if (isSelect(node)) {
      const index = this.selected(node);
      if (index !== undefined) return [inputs[index]];
    }
    return inputs;
  }

  /** Walks forwards from untaken ports, which are few compared to the graph. */
  #findDead(): void {
    const graph = this.#graph;
    const waiting: Node[] = [];
    for (const node of this.#order) {
      const taken = isSwitch(node) ? this.taken(node) : undefined;
      if (taken === undefined) continue;
      const port = taken === 1 ? 0 : 1;
      this.#deadPorts.set(node.name, port);
      for (const consumer of graph.consumers({ node: node.name, port })) waiting.push(consumer);
    }
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      if (this.#deadNodes.has(node) || !this.#dies(node)) continue;
      this.#deadNodes.add(node);
      for (const consumer of graph.dataConsumers(node.name)) waiting.push(consumer);
      for (const consumer of graph.controlConsumers(node.name)) waiting.push(consumer);
    }
  }

  /** Whether a node never has a value, given what is known about its inputs so far. */
  #dies(node: Node): boolean {
    const { inputs, controls } = node;
    const isDead = (ref: TensorRef) => this.isDead(ref);
    if (isMerge(node)) return inputs.length > 0 && inputs.every(isDead);
    return inputs.some(isDead) || controls.some((name) => this.#deadNodes.hasNamed(name));
  }
}
