import { Shapes } from '../analysis/values/shapes.js';
import type { Graph } from '../graph/graph.js';
import { type Cluster, Clustering, joined, joinedOne } from './clusters.js';

/** More groups than this cannot be looked at. */
export const MOST_GROUPS = 150;

/** The longest sequence of blocks that is recognised when it repeats. */
const LONGEST_PERIOD = 6;

/** Joins clusters until they are at most {@link MOST_GROUPS}: equal blocks that follow each other first, then whole blocks. */
export function bounded(graph: Graph, clusters: readonly Cluster[]): readonly Cluster[] {
  if (clusters.length <= MOST_GROUPS) return clusters;
  const blocks = blocksOf(new Clustering(graph, clusters));
  const shapes = new Shapes(graph);
  const [exactly, roughly] = [shapes, undefined].map((known) =>
    withRepeats(blocks, (block) => signatureOf(block, known)),
  );
  for (const repeated of [exactly!, roughly!]) {
    const all = repeated.flatMap((each) =>
      each.repeats > 1 ? [joinedOne(each.clusters, each.repeats)] : each.clusters,
    );
    if (all.length <= MOST_GROUPS) return all;
  }
  const whole = roughly!.map(({ clusters: own, repeats }) => (own.length === 1 ? own[0]! : joinedOne(own, repeats)));
  return whole.length <= MOST_GROUPS ? whole : inScopes(whole);
}

/** Clusters between two places where one cluster alone connects what is before with what is after. */
interface Block {
  readonly clusters: readonly Cluster[];
  readonly repeats: number;
}

/** The blocks of a net in order: what branches, and what all data pass through. */
function blocksOf({ clusters, after }: Clustering): Block[] {
  /** By how much the number of edges that pass over a cluster changes there. */
  const change = new Int32Array(clusters.length + 1);
  for (const [from, others] of after.entries()) {
    for (const to of others) {
      const [first, last] = from < to ? [from, to] : [to, from];
      change[first + 1]!++;
      change[last]!--;
    }
  }
  const blocks: Block[] = [];
  let open: Cluster[] = [];
  let over = 0;
  for (const [i, cluster] of clusters.entries()) {
    over += change[i]!;
    if (over > 0 || cluster.kind !== 'layers') {
      open.push(cluster);
      continue;
    }
    if (open.length > 0) blocks.push({ clusters: open, repeats: 1 });
    open = [];
    blocks.push({ clusters: [cluster], repeats: 1 });
  }
  if (open.length > 0) blocks.push({ clusters: open, repeats: 1 });
  return blocks;
}

/** Joins equal sequences of blocks that follow each other. */
function withRepeats(blocks: readonly Block[], signatureOf: (block: Block) => string): Block[] {
  const signatures = blocks.map(signatureOf);
  const found: Block[] = [];
  for (let at = 0; at < blocks.length; ) {
    const { period, times } = bestPeriod(signatures, at);
    const end = at + period * times;
    if (times < 2) found.push(blocks[at]!);
    else found.push({ clusters: blocks.slice(at, end).flatMap(({ clusters }) => clusters), repeats: times });
    at = Math.max(end, at + 1);
  }
  return found;
}

/** The sequence from a place on that covers most by repeating itself. */
function bestPeriod(signatures: readonly string[], at: number): { period: number; times: number } {
  let best = { period: 1, times: 1 };
  for (let period = 1; period <= LONGEST_PERIOD; period++) {
    let same = 0;
    while (signatures[at + same] !== undefined && signatures[at + same] === signatures[at + same + period]) same++;
    const times = Math.floor(same / period) + 1;
    if (times > 1 && times * period > best.times * best.period) best = { period, times };
  }
  return best;
}

/** Equal for blocks of the same ops in the same groups; if shapes are given, with results of the same shape. */
function signatureOf({ clusters }: Block, shapes: Shapes | undefined): string {
  return clusters
    .map(({ kind, nodes }) => {
      if (kind !== 'layers') return nodes[0]!.name;
      const last = { node: nodes.at(-1)!.name, port: 0 };
      return `${nodes.map(({ op }) => op).join()} ${shapes?.of(last)}`;
    })
    .sort()
    .join(';');
}

/** Joins by scope, as coarsely as necessary; if names have no scopes, by order. */
function inScopes(clusters: readonly Cluster[]): Cluster[] {
  const paths = clusters.map(({ nodes }) => nodes[0]!.name.split('/'));
  const deepest = Math.min(8, Math.max(...paths.map((path) => path.length)) - 1);
  for (let depth = deepest; depth > 0; depth--) {
    const keys = paths.map((path) => path.slice(0, depth).join('/'));
    if (new Set(keys).size <= MOST_GROUPS) return joined(clusters, (i) => keys[i]);
  }
  const each = Math.ceil(clusters.length / MOST_GROUPS);
  return joined(clusters, (i) => Math.floor(i / each));
}
