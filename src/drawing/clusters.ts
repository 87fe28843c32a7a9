import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';

/** Nodes of a graph that are drawn as one, while groups are formed. */
export interface Cluster {
  readonly kind: 'input' | 'output' | 'layers';
  /** In topological order. */
  readonly nodes: readonly Node[];
  /** What it does, in order; may name an op several times. */
  readonly ops: readonly string[];
  readonly batchNorms: readonly string[];
  readonly repeats: number;
}

/** Clusters that have each node once, in topological order of their first nodes, and who reads whom. */
export class Clustering {
  readonly clusters: readonly Cluster[];
  /** The clusters that each cluster reads, and that read it, by index. */
  readonly before: readonly ReadonlySet<number>[];
  readonly after: readonly ReadonlySet<number>[];
  readonly #of = new Map<Node, number>();

  constructor(graph: Graph, clusters: readonly Cluster[]) {
    this.clusters = clusters;
    for (const [i, { nodes }] of clusters.entries()) for (const node of nodes) this.#of.set(node, i);
    const before = clusters.map(() => new Set<number>());
    const after = clusters.map(() => new Set<number>());
    for (const [node, to] of this.#of) {
      for (const input of graph.inputNodes(node)) {
        const from = input && this.#of.get(input);
        if (from === undefined || from === to) continue;
        before[to]!.add(from);
        after[from]!.add(to);
      }
    }
    this.before = before;
    this.after = after;
  }

  /** The index of the cluster of a node; undefined if it is not drawn. */
  indexOf(node: Node | undefined): number | undefined {
    return node && this.#of.get(node);
  }
}

/** Joins clusters of the same key, in the order of the first of each. */
export function joined(clusters: readonly Cluster[], keyOf: (index: number) => unknown): Cluster[] {
  const groups = new Map<unknown, Cluster[]>();
  for (const [i, cluster] of clusters.entries()) {
    const key = keyOf(i);
    const group = groups.get(key);
    if (group) group.push(cluster);
    else groups.set(key, [cluster]);
  }
  return [...groups.values()].map((group) => (group.length === 1 ? group[0]! : joinedOne(group)));
}

/** One cluster of several. */
export function joinedOne(group: readonly Cluster[], repeats = 1): Cluster {
  return {
    kind: group.find(({ kind }) => kind !== 'layers')?.kind ?? 'layers',
    nodes: group.flatMap(({ nodes }) => nodes),
    ops: group.flatMap(({ ops }) => ops),
    batchNorms: group.flatMap(({ batchNorms }) => batchNorms),
    repeats,
  };
}
