import { BnfixError } from '../errors.js';
import { attr } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { refText, type TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';
import { TAP } from './tap.js';

const isPlaceholder = anyOf('placeholder');

/** A tensor that is given a value. */
export interface Feed {
  /** As the caller names it. */
  readonly name: string;
  readonly ref: TensorRef;
  /** Undefined if the graph does not say it: such a tensor cannot be fed. */
  readonly dtype: DataType | undefined;
}

/** A graph reduced to what its fetches need. */
export interface Prepared {
  readonly graph: Graph;
  /** Name of the Placeholder of each feed; undefined if no fetch needs it. */
  readonly feeds: readonly (string | undefined)[];
  /** Name of the node that hands each fetch over: see TAP. */
  readonly fetches: readonly string[];
}

/**
 * Cuts the graph, in place, at the feeds, gives each fetch a node of its own, and removes nodes that no fetch needs.
 * @throws BnfixError `usage` when a placeholder that a fetch needs has no value
 */
export function prepare(graph: Graph, feeds: readonly Feed[], fetches: readonly TensorRef[]): Prepared {
  const results = fetches.map((ref, index) => {
    const name = graph.freeName('bnfix_fetch');
    graph.add({ name, op: TAP, inputs: [ref], attr: { index: attr.int(index) } });
    return name;
  });
  const given = feeds.map(({ ref, dtype }) => {
    const name = graph.freeName('bnfix_feed');
    graph.add({ name, op: 'Placeholder', attr: { dtype: attr.type(dtype ?? DataType.DT_INVALID) } });
    graph.replaceUses(ref, { node: name, port: 0 });
    return name;
  });
  graph.retain(ancestors(graph, results));
  for (const node of [...graph.nodes()]) {
    if (node.op === 'PlaceholderWithDefault') graph.replace(node, { op: 'Identity', inputs: node.inputs });
    if (isPlaceholder(node) && !given.includes(node.name)) {
      throw new BnfixError('usage', `the placeholder ${node.name} has no value`, {
        where: node.name,
        why: `${fetches.map(refText).join(', ')} needs it`,
        fix: `give a value for ${node.name}`,
      });
    }
  }
  return { graph, feeds: given.map((name) => (graph.has(name) ? name : undefined)), fetches: results };
}
