import type { Graph } from '../../graph/graph.js';
import { refText, type TensorRef } from '../../graph/node.js';
import { anyOf } from '../../ops/meaning.js';
import { evaluate, evaluateKnown } from '../values/evaluate.js';
import { assignedVariable, assignKind, isStepCounter } from './assignments.js';
import type { Variables } from './variables.js';

/** A step count after which every schedule and bias correction has converged. */
export const CONVERGED_STEP = 2 ** 31 - 1;

/** A number of elements so large that Bessel's correction, n / (n - 1), is 1. */
export const LARGE_BATCH = 1e9;

/** What a variable converges to while the tensor that it averages is constant. */
export interface ConvergedVariable {
  readonly variable: string;
  /** The tensor at the start of the chain of updates. */
  readonly base: TensorRef;
  readonly limit: (statistic: number) => number;
}

/**
 * The values of expressions after convergence: step counters are very large, variables equal what they average, batches
 * are large.
 */
export class SteadyState {
  /** Variables that average a constant, with that constant. */
  readonly constants = new Map<string, number>();
  readonly converged = new Map<string, ConvergedVariable>();
  readonly #graph: Graph;
  readonly #variables: Variables;
  readonly #counters = new Map<string, boolean>();

  constructor(graph: Graph, variables: Variables) {
    this.#graph = graph;
    this.#variables = variables;
  }

  /**
   * The value of one element of a tensor.
   * @param statistic - the values of given tensors, mainly batch statistics
   */
  valueOf(ref: TensorRef, statistic: (ref: TensorRef) => number | undefined): number {
    return evaluate(this.#graph, ref, (leaf) => {
      const given = statistic(leaf);
      if (given !== undefined) return given;
      const variable = this.#variableOf(leaf);
      if (variable === undefined) return undefined;
      const average = this.converged.get(variable);
      const value = average && statistic(average.base);
      return value === undefined ? this.#fixed(variable) : average!.limit(value);
    });
  }

  /**
   * The same before it is known what variables average: step counters and averages of constants are known, and
   * batches are large.
   */
  valueOfUpdate(ref: TensorRef, statistic: (ref: TensorRef) => number | undefined): number {
    return evaluate(this.#graph, ref, (leaf) => this.#inUpdate(leaf, statistic));
  }

  /** The same; undefined if the value depends on anything else that is known only at run time. */
  knownValueOfUpdate(ref: TensorRef, statistic: (ref: TensorRef) => number | undefined): number | undefined {
    return evaluateKnown(this.#graph, ref, (leaf) => this.#inUpdate(leaf, statistic));
  }

  #inUpdate(leaf: TensorRef, statistic: (ref: TensorRef) => number | undefined): number | undefined {
    const given = statistic(leaf);
    if (given !== undefined) return given;
    const variable = this.#variableOf(leaf);
    if (variable !== undefined) return this.#fixed(variable);
    return isElementCount(this.#graph, leaf) ? LARGE_BATCH : undefined;
  }

  /** The variable that a tensor is a read of, or the new value of. */
  #variableOf(ref: TensorRef): string | undefined {
    const node = this.#graph.find(ref.node);
    if (!node) return undefined;
    return (assignKind(node) ? assignedVariable(this.#variables, node) : this.#variables.readBy(ref))?.node;
  }

  #fixed(variable: string): number | undefined {
    return this.constants.get(variable) ?? (this.#isCounter(variable) ? CONVERGED_STEP : undefined);
  }

  #isCounter(variable: string): boolean {
    let known = this.#counters.get(variable);
    if (known === undefined) {
      const node = this.#graph.find(variable);
      known = node !== undefined && isStepCounter(this.#graph, node);
      this.#counters.set(variable, known);
    }
    return known;
  }
}

const passesCount = anyOf('slice', 'gather', 'reduction', 'cast', 'identity', 'reshape');
const asksForSize = anyOf('shape_query');

/** Whether a tensor counts elements of data: it is computed only from a shape. */
export function isElementCount(graph: Graph, ref: TensorRef): boolean {
  const seen = new Set<string>();
  let node = graph.find(ref.node);
  while (node && !seen.has(node.name)) {
    if (asksForSize(node)) return true;
    if (!passesCount(node)) return false;
    seen.add(node.name);
    node = graph.inputNode(node, 0);
  }
  return false;
}

/** A reproducible number between 1 and 3 for a tensor, different from those of others. */
export function distinctNumber(ref: TensorRef): number {
  const text = refText(ref);
  let hash = 7;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) % 1_000_003;
  return 1 + (hash % 97) / 50;
}
