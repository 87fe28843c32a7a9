import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { sourceOf } from '../../graph/walk.js';
import { computesCondition, conditionOf, forwardsValue, rootsOf } from './conditions.js';

/** Maximum number of flags that one flag depends on: a batch norm has its flag, its tower, its layer. */
const MAX_OTHERS = 6;

/** Maximum number of nodes between the branches of a flag and those of a flag that it depends on. */
const MAX_DISTANCE = 500;

/** Which flags may depend on each other: those whose branches are close. */
export class FlagNeighbours {
  /** The placeholders and variables from which conditions are computed, in file order. */
  readonly roots: readonly string[];
  readonly #graph: Graph;
  readonly #live: NodeSet;
  readonly #rootsOf = new Map<string, readonly string[]>();

  /**
   * @param live - the nodes that feed the outputs
   * @param factors - flags that select by other means than conditions
   */
  constructor(graph: Graph, live: NodeSet, conditions: readonly TensorRef[], factors: readonly string[]) {
    this.#graph = graph;
    this.#live = live;
    this.roots = [...new Set([...rootsOf(graph, conditions), ...factors])];
  }

  /** The flags nearest to the branches of a flag, except for those that `isOpen` excludes. */
  of(flag: readonly string[], isOpen: (root: string) => boolean): readonly string[] {
    if (this.roots.length <= MAX_OTHERS + flag.length) return this.roots.filter(isOpen);
    const found = new Set<string>();
    const seen = new NodeSet(this.#graph, this.#branchesOf(flag));
    for (const node of seen) {
      for (const root of this.#rootsAt(node)) if (isOpen(root)) found.add(root);
      if (found.size >= MAX_OTHERS || seen.size > MAX_DISTANCE) break;
      const { name } = node;
      for (const next of [...this.#graph.inputNodes(node), ...this.#graph.dataConsumers(name)]) {
        if (this.#live.has(next)) seen.add(next);
      }
    }
    return [...found].slice(0, MAX_OTHERS);
  }

  /** The Switches and Selects whose condition is computed from a flag. */
  #branchesOf(flag: readonly string[]): Node[] {
    const seen = new NodeSet(this.#graph);
    for (const name of flag) seen.add(this.#graph.find(name));
    const branches: Node[] = [];
    for (const node of seen) {
      for (const consumer of this.#graph.dataConsumers(node.name)) {
        const condition = conditionOf(consumer);
        if (condition?.node === node.name) branches.push(consumer);
        if (computesCondition(consumer)) seen.add(consumer);
      }
    }
    return branches;
  }

  #rootsAt(node: Node): readonly string[] {
    const condition = conditionOf(node);
    if (!condition) return [];
    const source = sourceOf(this.#graph, condition, forwardsValue);
    const key = refText(source);
    const known = this.#rootsOf.get(key) ?? rootsOf(this.#graph, [source]);
    this.#rootsOf.set(key, known);
    return known;
  }
}
