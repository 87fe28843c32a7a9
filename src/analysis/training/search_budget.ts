import { BnfixError } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';

/** How many nodes all searches of a graph may visit, plus so many per node: a batch norm takes a hundred. */
const [VISITS, VISITS_PER_NODE] = [1_000_000, 30];

/** Bounds the cost of searches that begin at many nodes and may visit the same long chains. */
export class SearchBudget {
  #left: number;

  constructor(graph: Graph) {
    this.#left = VISITS + VISITS_PER_NODE * graph.size;
  }

  /**
   * Counts visited nodes.
   * @param node - where the search is
   * @throws BnfixError `unsupported` when all are used up
   */
  spend(visits: number, node: string): void {
    this.#left -= visits;
    if (this.#left >= 0) return;
    throw new BnfixError('unsupported', 'the graph has too many batch statistics that feed each other', {
      where: node,
      why: 'searching its batch norms would take too long',
      fix: { option: 'outputs', value: 'TENSOR', text: 'chooses outputs that do not depend on them' },
    });
  }
}
