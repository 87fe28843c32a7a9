import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import { isVariable } from '../state/variables.js';
import { readsValue } from './conditions.js';

const bringsWeights = anyOf('weighted', 'gather', 'gather_variable');

/** Weights that a branch brings in: those that the other branch does not use as well, as another mode of the same net. */
export class OwnWeights {
  readonly #graph: Graph;
  readonly #other: readonly Node[];
  #shared: ReadonlySet<string> | undefined;

  /** @param other - the nodes of the other branch */
  constructor(graph: Graph, other: readonly Node[]) {
    this.#graph = graph;
    this.#other = other;
  }

  /** Whether a node brings weights into its branch. */
  isBroughtBy(node: Node): boolean {
    if (!bringsWeights(node)) return false;
    this.#shared ??= new Set(this.#other.filter(bringsWeights).flatMap((each) => this.#sources(each)));
    return !this.#sources(node).some((source) => this.#shared!.has(source));
  }

  /** Variables and constants that a node reads. */
  #sources({ inputs }: Node): string[] {
    return inputs.flatMap((ref) => {
      const node = this.#graph.find(sourceOf(this.#graph, ref, readsValue).node);
      return node && (isVariable(node) || node.op === 'Const') ? [node.name] : [];
    });
  }
}
