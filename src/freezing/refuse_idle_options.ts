import type { Inference } from '../analysis/training/inference.js';
import { didYouMean } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { parseTensorName } from '../graph/node.js';
import { nameMatcher } from './name_matcher.js';

/**
 * Checks that everything in `keep` exists: a misspelled node would be repaired.
 * @throws BnfixError `usage` for a name, scope or glob that matches no node of the graph
 */
export function refuseIdleKeep(graph: Graph, keep: readonly string[]): void {
  for (const pattern of keep) {
    const isMeant = nameMatcher([pattern]);
    if ([...graph.nodes()].some(({ name }) => isMeant(name))) continue;
    throw new BnfixError('usage', `no node or scope named ${pattern}`, {
      option: 'keep',
      fix: didYouMean(pattern, scopesOf(graph)) ?? 'name a batch norm, dropout or flag of the graph, a scope or a glob',
    });
  }
}

/** Names of nodes, and of the scopes that they are in. */
function scopesOf(graph: Graph): Set<string> {
  const names = new Set<string>();
  for (const { name } of graph.nodes()) {
    for (let at = name; at !== '' && !names.has(at); at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) names.add(at);
  }
  return names;
}

/**
 * Refuses statistics that nothing reads.
 * @throws BnfixError `usage` with the first of them
 */
export function refuseIdleStatistics(given: ReadonlyMap<string, unknown>, { before }: Inference): void {
  const idle = [...given.keys()].find((name) => !before.live.hasNamed(parseTensorName(name).node));
  if (idle === undefined) return;
  throw new BnfixError('usage', `no output depends on ${idle}`, { option: 'map', fix: 'leave it out' });
}
