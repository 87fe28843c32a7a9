import type { Graph } from './graph.js';
import type { Node } from './node.js';

/** Up to this number of members a search is faster than a table. */
const FEW = 16;

/**
 * A set of nodes of one graph, in insertion order; like a Set, it may grow during iteration. If it has more than a few members, one
 * byte per node of the graph marks them, so that tests need no comparison of names.
 */
export class NodeSet implements Iterable<Node> {
  readonly #graph: Graph;
  readonly #nodes: Node[] = [];
  #marks: Uint8Array | undefined;

  constructor(graph: Graph, nodes: Iterable<Node> = []) {
    this.#graph = graph;
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
    if (node === undefined) return false;
    const { id } = node;
    if (this.#marks) return this.#marks[id] === 1;
    for (const member of this.#nodes) if (member.id === id) return true;
    return false;
  }

  /** Whether the node of that name is in the set; false if it does not exist. */
  hasNamed(name: string): boolean {
    return this.has(this.#graph.find(name));
  }

  /** Adds a node; ignores undefined and existing members. */
  add(node: Node | undefined): void {
    if (node === undefined || this.has(node)) return;
    this.#nodes.push(node);
    if (this.#marks || this.#nodes.length > FEW) this.#mark(node.id);
  }

  /** Removes all members, in the time of their number. */
  clear(): void {
    if (this.#marks) for (const { id } of this.#nodes) this.#marks[id] = 0;
    this.#nodes.length = 0;
  }

  #mark(id: number): void {
    if (this.#marks === undefined) {
      this.#marks = new Uint8Array(this.#graph.idLimit);
      for (const member of this.#nodes) this.#marks[member.id] = 1;
    }
    // Nodes may have been added to the graph since.
    if (id >= this.#marks.length) {
      const larger = new Uint8Array(2 * id + 1);
      larger.set(this.#marks);
      this.#marks = larger;
    }
    this.#marks[id] = 1;
  }
}
