import type { Graph } from '../../graph/graph.js';
import { refText, type TensorRef } from '../../graph/node.js';
import { anyOf } from '../../ops/meaning.js';
import { isElementwise } from './assignments.js';
import type { MovingAverages } from './moving_averages.js';
import type { Variables } from './variables.js';

const changes = anyOf('assign', 'row_update');
const isReduction = anyOf('reduction');
const isFused = anyOf('fused_batch_norm');
const moves = anyOf('slice', 'gather', 'scatter', 'concat', 'pack', 'split', 'unpack', 'tile', 'transpose', 'merge');
const joins = anyOf('pack', 'concat');

/**
 * The reductions and batch norm ops whose statistics update a variable in a way that is not recognised as averaging. What
 * such a variable holds is unknown, so that names are no evidence for the batch norm.
 */
export function statisticsOfUnknownUpdates(
  graph: Graph,
  variables: Variables,
  averages: MovingAverages,
): ReadonlySet<string> {
  const known = new Set([...averages.values()].flat().flatMap(({ variable, via }) => [variable.node, ...via]));
  const seen = new Map<string, TensorRef>();
  for (const node of graph.nodes()) {
    const target = changes(node) && node.inputs[0] ? variables.ofHandle(node.inputs[0])?.node : undefined;
    if (target === undefined || known.has(target)) continue;
    for (const ref of node.inputs.slice(1)) seen.set(refText(ref), ref);
  }
  // A variable that averages several statistics, joined, holds none of them alone.
  for (const { statistic } of [...averages.values()].flat()) {
    const joined = graph.find(statistic.node);
    if (joined && joins(joined)) for (const part of joined.inputs) seen.set(refText(part), part);
  }
  const found = new Set<string>();
  for (const { node: name, port } of seen.values()) {
    const node = graph.get(name);
    if (isReduction(node) || (isFused(node) && port > 0)) found.add(name);
    else if (isElementwise(node) || moves(node)) for (const ref of node.inputs) seen.set(refText(ref), ref);
  }
  return found;
}
