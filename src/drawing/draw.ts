import { findActivations } from '../analysis/training/activations.js';
import { Shapes } from '../analysis/values/shapes.js';
import { endsOf } from '../diagnosis/ends.js';
import type { BatchNormInspection, Inspection } from '../diagnosis/inspection.js';
import type { Analysis } from '../freezing/analysis.js';
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
  const ends = endsOf(outputs);
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
  return clusters.map(({ kind, nodes, batchNorms, repeats }, i) => {
    const own = new Set(batchNorms.map((name) => roles.get(name)));
    return {
      id: `g${i}`,
      name: nameOf(nodes.map(({ name }) => name)),
      kind,
      role: ROLES.find((role) => own.has(role)) ?? 'other',
      ops: [...new Set(nodes.map(({ op }) => op))].slice(0, MOST_OPS),
      nodes: nodes.length,
      batchNorms,
      repeats,
    };
  });
}

/** The scope that names have in common; the first name if they have none. */
function nameOf([first = '', ...others]: readonly string[]): string {
  let common = first.split('/');
  for (const other of others) {
    const path = other.split('/');
    const differs = common.findIndex((part, i) => part !== path[i]);
    if (differs >= 0) common = common.slice(0, differs);
  }
  return common.length > 0 && others.length > 0 ? common.join('/') : first;
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
