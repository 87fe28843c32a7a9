import type { BatchNormInspection } from '../diagnosis/inspection.js';
import { shortNames } from '../freezing/short_names.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';
import { topologicalOrder } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';
import type { Cluster } from './clusters.js';
import { nodesOfNorm } from './norm_nodes.js';

const isPlaceholder = anyOf('placeholder');

/** What is drawn for the ops of an unfused batch norm. */
const UNFUSED = 'unfused batch norm';

/** What is drawn. */
export interface DrawnNodes {
  readonly graph: Graph;
  readonly drawn: NodeSet;
  readonly ends: readonly TensorRef[];
  /** Those that feed an output. */
  readonly batchNorms: readonly BatchNormInspection[];
}

/**
 * The first clusters: each input and output, each batch norm with the nodes of its scope, each of the largest scopes without
 * batch norm, and every other node by itself.
 */
export function firstClusters({ graph, drawn, ends, batchNorms }: DrawnNodes): Cluster[] {
  const outputs = new Set(ends.map(({ node }) => node));
  const ofNorms = normOfNodes({ graph, drawn, batchNorms });
  const scopes = new NormScopes(batchNorms);
  const clusters = new Map<string, { kind: Cluster['kind']; nodes: Node[]; batchNorms: string[] }>();
  const add = (key: string, node: Node, kind: Cluster['kind']) => {
    const known = clusters.get(key);
    if (known) known.nodes.push(node);
    else clusters.set(key, { kind, nodes: [node], batchNorms: [] });
  };
  for (const node of topologicalOrder(graph)) {
    if (!drawn.has(node)) continue;
    const norm = ofNorms.get(node) ?? scopes.normOf(node.name);
    if (norm !== undefined) add(`norm ${norm}`, node, 'layers');
    else if (isPlaceholder(node)) add(`input ${node.name}`, node, 'input');
    else if (outputs.has(node.name)) add(`output ${node.name}`, node, 'output');
    else add(`scope ${scopes.freeScopeOf(node.name)}`, node, 'layers');
  }
  const unfused = new Set<string>();
  for (const { name, pattern } of batchNorms) {
    clusters.get(`norm ${name}`)?.batchNorms.push(name);
    if (pattern === 'unfused') unfused.add(name);
  }
  return [...clusters.values()].map((cluster) => {
    const isArithmetic = cluster.batchNorms.some((name) => unfused.has(name));
    return { ...cluster, ops: isArithmetic ? [UNFUSED] : cluster.nodes.map(({ op }) => op), repeats: 1 };
  });
}

/** The batch norm that nodes belong to, by data flow. */
function normOfNodes({ graph, drawn, batchNorms }: Pick<DrawnNodes, 'graph' | 'drawn' | 'batchNorms'>) {
  const found = new Map<Node, string>();
  for (const { name, pattern, input } of batchNorms) {
    const root = graph.find(name);
    if (!root) continue;
    const x = input === undefined ? undefined : graph.find(input.slice(0, input.lastIndexOf(':')));
    const own = pattern === 'unfused' ? nodesOfNorm(graph, root, x, drawn) : [root];
    for (const node of own) if (!found.has(node)) found.set(node, name);
  }
  return found;
}

/** The scopes that batch norms are in. */
class NormScopes {
  /** Scopes with a batch norm. */
  readonly #withNorm = new Set<string>();
  /** The scopes that have one batch norm and nothing else, as their names say. */
  readonly #own = new Map<string, string>();

  constructor(batchNorms: readonly BatchNormInspection[]) {
    const names = batchNorms.map(({ name }) => name);
    for (const name of names) for (const scope of scopesOf(name)) this.#withNorm.add(scope);
    for (const [i, short] of shortNames(names).entries()) {
      const name = names[i]!;
      if (short !== name && isNormScope(short)) this.#own.set(short, name);
    }
  }

  /** The batch norm whose own scope a node is in. */
  normOf(node: string): string | undefined {
    if (this.#own.size === 0) return undefined;
    for (const scope of scopesOf(node)) {
      const norm = this.#own.get(scope);
      if (norm !== undefined) return norm;
    }
    return undefined;
  }

  /** The largest scope of a node without batch norm; its own name if there is none. */
  freeScopeOf(node: string): string {
    for (const scope of scopesOf(node)) if (!this.#withNorm.has(scope)) return scope;
    return node;
  }
}

/** Whether a scope is named after a batch norm, and not after a layer with other ops as well. */
function isNormScope(scope: string): boolean {
  return /batch_?norm|(^|[/_])bn|norm/i.test(scope.slice(scope.lastIndexOf('/') + 1));
}

/** The scopes of a node, the largest first: `a`, `a/b` for `a/b/c`. */
function* scopesOf(name: string): Generator<string> {
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) yield name.slice(0, at);
}
