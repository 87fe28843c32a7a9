import type { Graph } from './graph.js';
import type { Node } from './node.js';
import { NodeSet } from './node_set.js';

/** Integers of some nodes of one graph, which must not grow: four bytes per node of the graph. */
export class NodeNumbers {
  readonly #known: NodeSet;
  readonly #values: Int32Array;

  constructor(graph: Graph) {
    this.#known = new NodeSet(graph);
    this.#values = new Int32Array(graph.idLimit);
  }

  /** The nodes that have a number. */
  get nodes(): NodeSet {
    return this.#known;
  }

  /** The number of a node; undefined if it has none. */
  get(node: Node): number | undefined {
    return this.#known.has(node) ? this.#values[node.id] : undefined;
  }

  /** Gives a node a number, in place of the one that it has. */
  set(node: Node, value: number): void {
    this.#known.add(node);
    this.#values[node.id] = value;
  }

  /** Removes all numbers, in the time of what has one. */
  clear(): void {
    this.#known.clear();
  }
}
