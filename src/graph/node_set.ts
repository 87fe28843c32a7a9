import type { Graph } from './graph.js';
import type { Node } from './node.js';

/**
 * A set of nodes of one graph, in insertion order; like a Set, it may grow during iteration. One byte per node of the graph
 * marks members, so that tests need no comparison of names.
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

  /** Whether the node of that name is in the set; false if it does not exist. */
  hasNamed(name: string): boolean {
    return this.has(this.#graph.find(name));
  }

  /** Adds a node; ignores undefined and existing members. */
  add(node: Node | undefined): void {
    if (node === undefined || this.#has[node.id] === 1) return;
    this.#nodes.push(node);
    if (node.id >= this.#has.length) this.#grow(node.id);
    this.#has[node.id] = 1;
  }

  /** Removes all members, in the time of their number. */
  clear(): void {
    for (const { id } of this.#nodes) this.#has[id] = 0;
    this.#nodes.length = 0;
  }

  /** Makes room for nodes that were added to the graph since. */
  #grow(id: number): void {
    const larger = new Uint8Array(2 * id + 1);
    larger.set(this.#has);
    this.#has = larger;
  }
}
