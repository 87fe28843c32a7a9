import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { anyOf } from '../../ops/meaning.js';
import type { Variable, Variables } from '../state/variables.js';
import { readsValue } from './conditions.js';

const changes = anyOf('assign', 'update');
/** Ops that take a variable without using its value: savers and initialisers. */
const administers = anyOf('assign_set', 'save', 'initialised');

/** Whether a variable is named as belonging to another: an optimizer's slot, the moving average of a weight. */
export function isSlot({ byNode }: Variables, { node }: Variable): boolean {
  return byNode.has(node.slice(0, Math.max(node.lastIndexOf('/'), 0)));
}

/**
 * Whether only savers, initialisers and ops that do not count take a variable that the checkpoint has.
 *
 * @param counts - whether an op counts as a reader; what it feeds may not change a variable if it does not
 */
export function isUnread(graph: Graph, variable: Variable, counts: (node: Node) => boolean): boolean {
  if (variable.key === undefined) return false;
  const holders = new Set([variable.node]);
  const ends = new Set<string>();
  for (const holder of holders) {
    for (const node of graph.dataConsumers(holder)) {
      if (administers(node)) continue;
      if (readsValue(node)) holders.add(node.name);
      else if (counts(node)) return false;
      else ends.add(node.name);
    }
  }
  // What is left of removed update ops feeds nothing.
  for (const end of ends) {
    if (changes(graph.get(end))) return false;
    for (const node of graph.dataConsumers(end)) ends.add(node.name);
  }
  return true;
}
