import type { Analysis } from '../freezing/analysis.js';
import type { Graph } from '../graph/graph.js';
import { type Node, refText } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';
import { ancestors, sourceOf } from '../graph/walk.js';
import { anyOf, isIdentity } from '../ops/meaning.js';
import type { ResolvedSite } from './groups.js';
import { placeId } from './places.js';
import { refuseSite } from './refuse_site.js';
import type { Site } from './sites.js';

const isFused = anyOf('fused_batch_norm');
const passes = anyOf('identity', 'cast', 'reshape');

/**
 * Refuses constants that hold a statistic and something else: programs that optimise graphs merge equal ones, such as the 0 and 1 of
 * statistics that were never trained.
 * @throws BnfixError `unsupported` for the first of them
 */
export function refuseSharedConstants({ graph, outputs }: Analysis, sites: readonly Site[]): void {
  const ends = outputs.refs.map(({ node }) => node);
  const feeding = ancestors(graph, ends, false);
  const owners = new Map<string, Site[]>();
  for (const site of sites) {
    for (const { place } of site.statistics) {
      if (place.kind === 'constant') owners.set(placeId(place), [...(owners.get(placeId(place)) ?? []), site]);
    }
  }
  for (const site of sites) {
    for (const [i, { place }] of site.statistics.entries()) {
      const own = owners.get(placeId(place));
      if (!own || !graph.has(place.node)) continue;
      const readers = readersOf(graph, feeding, place.node);
      const isAlone = site.isFused
        ? readers.every(
            ({ node, index }) => isFused(node) && index === 3 + i && own.some(({ name }) => name === node.name),
          )
        : readers.length <= 1;
      const isOneNorm = own.every((other) => parametersOf(graph, other) === parametersOf(graph, site));
      if (!isAlone || !isOneNorm) throw refuseSite(site.name, 'shared', place.node);
    }
  }
}

/** Scale and offset of a fused batch norm: those that share them are one, used several times. */
function parametersOf(graph: Graph, { name, isFused: hasInputs }: Site): string {
  if (!hasInputs) return name;
  const inputs = graph.get(name).inputs.slice(1, 3);
  return inputs.map((ref) => refText(sourceOf(graph, ref, isIdentity))).join(' ');
}

/** The nodes that use a constant, and as which input. */
function readersOf(
  graph: Graph,
  feeding: NodeSet,
  constant: string,
): { readonly node: Node; readonly index: number }[] {
  const found: { readonly node: Node; readonly index: number }[] = [];
  const seen = new Set([constant]);
  for (const name of seen) {
    for (const node of graph.dataConsumers(name)) {
      if (!feeding.has(node)) continue;
      if (passes(node) && node.inputs[0]?.node === name) seen.add(node.name);
      else for (const [index, ref] of node.inputs.entries()) if (ref.node === name) found.push({ node, index });
    }
  }
  return found;
}

/**
 * Refuses a place that is the mean of one batch norm and another statistic of one. What unfused batch norms store is known only after
 * the graph has run.
 * @throws BnfixError `unsupported` for the first of them
 */
export function refuseTwoQuantities(sites: readonly ResolvedSite[]): void {
  const isMeanAt = new Map<string, boolean>();
  for (const { sample, statistics } of sites) {
    for (const { place, quantity } of statistics) {
      const id = placeId(place);
      const isMean = quantity === 'mean';
      if ((isMeanAt.get(id) ?? isMean) !== isMean) throw refuseSite(sample.site, 'shared', place.node);
      isMeanAt.set(id, isMean);
    }
  }
}
