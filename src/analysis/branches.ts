import { type Graph, type Node, refText, type TensorRef } from '../graph/graph.js';
import { topologicalOrder } from '../graph/walk.js';
import { constantScalar, type Pins } from './constants.js';

export const SWITCHES: ReadonlySet<string> = new Set(['Switch', 'RefSwitch']);
export const MERGES: ReadonlySet<string> = new Set(['Merge', 'RefMerge']);
export const SELECTS: ReadonlySet<string> = new Set(['Select', 'SelectV2']);

/**
 * What is left of a graph when flags are pinned: which tensors can never have a value, and what an output then needs.
 * Loops decide anew at every turn: a Switch whose condition comes of LoopCond is never known here.
 */
export class Branches {
  readonly #graph: Graph;
  readonly #order: readonly Node[];
  /** The nodes that are waited for by control edges, for loops and branches. */
  readonly #pins: Pins;
  readonly #deadNodes = new Set<string>();
  readonly #deadPorts = new Set<string>();

  constructor(graph: Graph, pins: Pins, order: readonly Node[] = topologicalOrder(graph)) {
    this.#graph = graph;
    this.#pins = pins;
    this.#order = order;
    this.#findDead();
  }

  isDead(ref: TensorRef): boolean {
    return this.#deadNodes.has(ref.node) || this.#deadPorts.has(refText(ref));
  }

  /** Whether a node is on a branch that is never taken. */
  isDeadNode(name: string): boolean {
    return this.#deadNodes.has(name);
  }

  /** The port of a Switch that has a value (0 false, 1 true); undefined where only a run would tell. */
  taken(node: Node): 0 | 1 | undefined {
    const value = constantScalar(this.#graph, node.inputs[1], this.#pins);
    return value === undefined ? undefined : value ? 1 : 0;
  }

  /** The input of a Select that is its value: 1 where the condition holds, 2 else; undefined where a run would tell. */
  selected(node: Node): 1 | 2 | undefined {
    const value = constantScalar(this.#graph, node.inputs[0], this.#pins);
    return value === undefined ? undefined : value ? 1 : 2;
  }

  /** Names of the nodes that the given ones need for their data. */
  needed(outputs: readonly TensorRef[]): Set<string> {
    const seen = new Set(outputs.map((ref) => ref.node));
    for (const name of seen) {
      const node = this.#graph.find(name);
      if (!node) continue;
      for (const ref of this.#needs(node)) seen.add(ref.node);
    }
    return seen;
  }

  #needs(node: Node): readonly TensorRef[] {
    if (MERGES.has(node.op)) return node.inputs.filter((ref) => !this.isDead(ref));
    if (SWITCHES.has(node.op) && this.taken(node) !== undefined) return node.inputs.slice(0, 1);
    if (SELECTS.has(node.op)) {
      const index = this.selected(node);
      if (index !== undefined) return [node.inputs[index]!];
    }
    return node.inputs;
  }

  #findDead(): void {
    for (const node of this.#order) {
      const dead = MERGES.has(node.op)
        ? node.inputs.length > 0 && node.inputs.every((ref) => this.isDead(ref))
        : node.inputs.some((ref) => this.isDead(ref)) || node.controls.some((name) => this.#deadNodes.has(name));
      if (dead) this.#deadNodes.add(node.name);
      else if (SWITCHES.has(node.op)) {
        const taken = this.taken(node);
        if (taken !== undefined) this.#deadPorts.add(refText({ node: node.name, port: 1 - taken }));
      }
    }
  }
}
