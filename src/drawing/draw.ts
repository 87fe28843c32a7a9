import { findActivations } from '../analysis/training/activations.js';
import { Shapes } from '../analysis/values/shapes.js';
import type { BatchNormInspection, Inspection } from '../diagnosis/inspection.js';
import type { Analysis } from '../freezing/analysis.js';
import { outputsOrCandidates } from '../freezing/outputs.js';
import type { Graph } from '../graph/graph.js';
import { NodeSet } from '../graph/node_set.js';
import { ancestors } from '../graph/walk.js';
import { bounded } from './bound.js';
import { type Cluster, Clustering } from './clusters.js';
import { type Drawing, type DrawnEdge, type DrawnGroup, ROLES, type Role } from './drawing.js';
import { firstClusters } from './first_clusters.js';
import { mergeChains } from './merge_chains.js';

/** Most ops that a group names. */
const MOST_OPS = 8;

/**
 * The drawing of a model at inference: batch norms and what is around them, without weights. Its size is bounded, and the
 * time linear in the number of nodes.
 * @param roleOf - what to show of a batch norm; by default, what it does in the model as it is
 */
export function drawingOf(
  { graph, outputs }: Analysis,
  { batchNorms }: Pick<Inspection, 'batchNorms'>,
  roleOf: (batchNorm: BatchNormInspection) => Role = roleAsIs,
): Drawing {
  const ends = outputsOrCandidates(outputs);
  const feeding = ancestors(
    graph,
    ends.map(({ node }) => node),
    false,
  );
  const activations = findActivations(graph);
  const drawn = new NodeSet(
    graph,
    [...feeding].filter((node) => activations.has(node)),
  );
  const inUse = batchNorms.filter(({ feeds }) => feeds.length > 0);
  const layers = mergeChains(graph, firstClusters({ graph, drawn, ends, batchNorms: inUse }));
  const roles = new Map(inUse.map((each) => [each.name, roleOf(each)]));
  const clustering = new Clustering(graph, bounded(graph, layers));
  return { groups: groupsOf(clustering.clusters, roles), edges: edgesOf(graph, clustering) };
}

/** What a batch norm does in the model as it is. */
function roleAsIs({ mode }: BatchNormInspection): Role {
  return mode === 'per_example' ? 'other' : mode;
}

function groupsOf(clusters: readonly Cluster[], roles: ReadonlyMap<string, Role>): DrawnGroup[] {
  return clusters.map(({ kind, nodes, ops, batchNorms, repeats }, i) => {
    const own = new Set(batchNorms.map((name) => roles.get(name)));
    return {
      id: `g${i}`,
      name: nameOf(
        nodes.map(({ name }) => name),
        repeats,
      ),
      kind,
      role: ROLES.find((role) => own.has(role)) ?? 'other',
      ops: [...new Set(ops)].slice(0, MOST_OPS),
      nodes: nodes.length,
      batchNorms,
      repeats,
    };
  });
}

/** The smallest scope that more than half of some names are in; if there is none, the first name, and the last of equal groups. */
function nameOf(names: readonly string[], repeats: number): string {
  const [first = ''] = names;
  if (names.length === 1) return first;
  const counts = new Map<string, number>();
  for (const name of names) {
    for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) {
      const scope = name.slice(0, at);
      counts.set(scope, (counts.get(scope) ?? 0) + 1);
    }
  }
  let best = '';
  for (const [scope, count] of counts) if (2 * count > names.length && scope.length > best.length) best = scope;
  if (best !== '') return best;
  return repeats > 1 ? `${topOf(first)} … ${topOf(names.at(-1)!)}` : first;
}

function topOf(name: string): string {
  return name.split('/', 1)[0]!;
}

function edgesOf(graph: Graph, clustering: Clustering): DrawnEdge[] {
  const shapes = new Shapes(graph);
  const edges = new Map<string, DrawnEdge>();
  for (const [to, { nodes }] of clustering.clusters.entries()) {
    for (const node of nodes) {
      for (const ref of node.inputs) {
        const from = clustering.indexOf(graph.find(ref.node));
        if (from === undefined || from === to) continue;
        const key = `${from} ${to}`;
        if (!edges.has(key)) edges.set(key, { from: `g${from}`, to: `g${to}`, shape: shapes.of(ref) });
      }
    }
  }
  return [...edges.values()];
}
