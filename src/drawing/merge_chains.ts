import type { Graph } from '../graph/graph.js';
import { anyOf } from '../ops/meaning.js';
import { type Cluster, Clustering, joined } from './clusters.js';

const isWeighted = anyOf('weighted');

/**
 * Joins clusters that follow each other without branches to layers: a convolution (or another op with weights), its batch norm and
 * its activation. A layer has one batch norm at most.
 */
export function mergeChains(graph: Graph, clusters: readonly Cluster[]): Cluster[] {
  const { before, after } = new Clustering(graph, clusters);
  /** The first cluster of the layer of each cluster. */
  const layer = clusters.map((_, i) => i);
  const layers = clusters.map(({ batchNorms, nodes }) => ({
    hasNorm: batchNorms.length > 0,
    isWeighted: nodes.some(isWeighted),
  }));
  for (const [i, cluster] of clusters.entries()) {
    const [previous, ...others] = before[i]!;
    if (previous === undefined || others.length > 0 || previous > i || after[previous]!.size > 1) continue;
    if (cluster.kind === 'output' || clusters[previous]!.kind !== 'layers') continue;
    const first = layers[layer[previous]!]!;
    const own = layers[i]!;
    if ((first.hasNorm && own.hasNorm) || (own.isWeighted && (first.hasNorm || first.isWeighted))) continue;
    layer[i] = layer[previous]!;
    first.hasNorm ||= own.hasNorm;
    first.isWeighted ||= own.isWeighted;
  }
  return joined(clusters, (i) => layer[i]);
}
