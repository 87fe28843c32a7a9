import type { Graph } from './graph.js';
import type { Node } from './node.js';

/**
 * A set of nodes of one graph, in the order in which they came: as a Set, it may grow while it is gone through. A byte for
 * each node of the graph tells whether it is in, so that asking takes no comparing of names.
 */
export class NodeSet implements Iterable<Node> {
  readonly #graph: Graph;
  readonly #nodes: Node[] = [];
  #has: Uint8Array;

  constructor(graph: Graph, nodes: Iterable<Node> = []) {
    this.#graph = graph;
    this.#has = new Uint8Array(graph.idLimit);
    for (const node of nodes) this.add(node);
  }

  get size(): number {
    return this.#nodes.length;
  }

  [Symbol.iterator](): Iterator<Node> {
    return this.#nodes[Symbol.iterator]();
  }

  /** Whether a node is in the set; false for undefined. */
  has(node: Node | undefined): boolean {
    return node !== undefined && this.#has[node.id] === 1;
  }

  /** Whether the node of that name is in the set; false where there is none. */
  hasNamed(name: string): boolean {
    return this.has(this.#graph.find(name));
  }

  /** Nothing is added for undefined, or for a node that is in already. */
  add(node: Node | undefined): void {
    if (node === undefined || this.#has[node.id] === 1) return;
    this.#nodes.push(node);
    if (node.id >= this.#has.length) this.#grow(node.id);
    this.#has[node.id] = 1;
  }

  /** For nodes that were added to the graph since. */
  #grow(id: number): void {
    const larger = new Uint8Array(2 * id + 1);
    larger.set(this.#has);
    this.#has = larger;
  }
}
