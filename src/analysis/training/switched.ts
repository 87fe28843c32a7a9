import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, isIdentity, isMerge } from '../../ops/meaning.js';
import { isElementwise } from '../state/assignments.js';
import type { Flag } from './flags.js';

const isFused = anyOf('fused_batch_norm');
const isRoot = anyOf('root', 'power');
const chooses = anyOf('merge', 'switch', 'select', 'pack', 'concat', 'gather', 'slice');

/**
 * The batch norms whose statistics flags choose, and these flags: ops of fused batch norms that only inference needs, and
 * roots of unfused ones that batch statistics reach with the other value. The graph is as it was before flags were pinned.
 */
export function findSwitched(graph: Graph, flags: readonly Flag[]): ReadonlyMap<string, readonly string[]> {
  const switched = new Map<string, string[]>();
  const add = ({ name }: Node, flag: Flag) => {
    const known = switched.get(name);
    if (!known) switched.set(name, [flag.node]);
    else if (!known.includes(flag.node)) known.push(flag.node);
  };
  for (const flag of flags) {
    for (const name of flag.selects ?? []) {
      const node = graph.find(name);
      if (node && isFused(node)) add(node, flag);
    }
    for (const name of flag.disables ?? []) for (const node of counterpartsOf(graph, name)) add(node, flag);
    for (const root of rootsOf(graph, flag.disables ?? [])) add(root, flag);
  }
  return switched;
}

/** The fused batch norms in the other branch of a condition. */
function counterpartsOf(graph: Graph, name: string): Node[] {
  const node = graph.find(name);
  if (!node || !isFused(node)) return [];
  const merges = graph.consumers({ node: name, port: 0 }).filter(isMerge);
  const sources = merges.flatMap(({ inputs }) =>
    inputs.map((ref) => graph.find(sourceOf(graph, ref, isIdentity).node)),
  );
  return sources.filter((source) => source !== undefined && source !== node && isFused(source)) as Node[];
}

/** The roots that are computed from batch statistics, element by element. */
function rootsOf(graph: Graph, statistics: readonly string[]): Node[] {
  const roots: Node[] = [];
  const reached = new NodeSet(graph);
  for (const name of statistics) reached.add(graph.find(name));
  for (const node of reached) {
    for (const consumer of graph.dataConsumers(node.name)) {
      if (reached.has(consumer)) continue;
      if (isRoot(consumer)) roots.push(consumer);
      else if (isElementwise(consumer) || chooses(consumer)) reached.add(consumer);
    }
  }
  return [...new Set(roots)];
}
