import { findActivations } from '../analysis/training/activations.js';
import type { Graph } from '../graph/graph.js';
import { anyOf } from '../ops/meaning.js';
import { counterpartOf } from './counterparts.js';
import type { Layer } from './layers.js';

const multipliesByWeights = anyOf('weighted');

/** More nodes than this are not one batch norm. */
const MAX_PARTS = 100;

/** Which batch norm a node belongs to: its ops, its statistics and parameters, and what it was folded into. */
export class LayerParts {
  readonly #layers = new Map<string, string>();

  /** @param layers - in the order of computation @param graphs - in which nodes are looked up, with names of the saved graph */
  constructor(layers: readonly Layer[], saved: Graph, graphs: readonly Graph[]) {
    const ends = new Set(layers.map(({ y }) => y.node));
    for (const graph of graphs) for (const layer of layers) this.#add(graph, saved, layer, ends);
  }

  /** The name of the batch norm of a node; undefined for a node between batch norms. */
  of(node: string): string | undefined {
    return this.#layers.get(node);
  }

  #add(graph: Graph, saved: Graph, { name, x, y, ops }: Layer, ends: ReadonlySet<string>): void {
    const end = counterpartOf(saved, y, graph);
    const activations = findActivations(graph);
    const isFolded = ops.some((op) => graph.find(op)?.op !== saved.get(op).op);
    const found = new Set(end ? [end.node] : []);
    for (const node of found) {
      if (found.size > MAX_PARTS) break;
      if (!this.#layers.has(node)) this.#layers.set(node, name);
      // One that was folded begins at the op whose weights are scaled.
      const isFirst = multipliesByWeights(graph.get(node));
      for (const ref of graph.get(node).inputs) {
        if ((ref.node === x.node && !isFolded) || (ends.has(ref.node) && ref.node !== y.node)) continue;
        if (!isFirst || !activations.hasNamed(ref.node)) found.add(ref.node);
      }
    }
  }
}
