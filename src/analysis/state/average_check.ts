import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { evaluate } from '../values/evaluate.js';
import { afterAssignment, isElementwise, operands, updatedValue, updateKind } from './assignments.js';
import type { Rows } from './rows.js';
import { isElementCount, LARGE_BATCH } from './steady_state.js';
import type { Variable, Variables } from './variables.js';

/** Update expressions are a handful of ops: a search ends after this many tensors, and is recorded as truncated. */
export const MAX_UPDATE_OPS = 200;

/** How many tensors are evaluated in all for a graph, plus so many per node: a few hundred are usual per update. */
const [PROBES, PROBES_PER_NODE] = [10_000_000, 1000];

/**
 * Tests numerically whether an assignment makes its variable a moving average of something, whatever ops it uses: the
 * variable must not change when it equals its source, at two points, and must change otherwise.
 */
export class AverageCheck {
  /** Assignments whose expressions were too long to search. */
  readonly truncated = new Set<string>();
  readonly #graph: Graph;
  readonly #variables: Variables;

  readonly #rows: Rows | undefined;
  #probes: number;

  constructor(graph: Graph, variables: Variables, rows?: Rows) {
    this.#graph = graph;
    this.#rows = rows;
    this.#variables = variables;
    this.#probes = PROBES + PROBES_PER_NODE * graph.size;
  }

  /**
   * Whether the assignment averages what `isSource` marks in its value.
   * @param copies - whether a plain copy, which has no memory, counts as well
   */
  holds(variable: Variable, assign: Node, isSource: (ref: TensorRef) => boolean, copies = true): boolean {
    const after = (own: number, source: number) => this.#after(variable, assign, own, source, isSource);
    const moved = after(1, 3) - 1;
    if (!isClose(after(2.5, 2.5), 2.5) || !isClose(after(0.75, 0.75), 0.75)) return false;
    return copies ? Math.abs(moved) > SMALLEST_STEP : moved > SMALLEST_STEP && !isClose(moved, 2);
  }

  /** Whether the variable keeps nothing of its value before the assignment. */
  overwrites(variable: Variable, assign: Node, isSource: (ref: TensorRef) => boolean): boolean {
    const after = (own: number, source: number) => this.#after(variable, assign, own, source, isSource);
    return isClose(after(3, 1), 1) && isClose(after(1, 3), 3);
  }

  /** Whether the assignment only ever moves the variable up, or only down: it keeps the largest or smallest value. */
  keepsExtremum(variable: Variable, assign: Node, isSource: (ref: TensorRef) => boolean): boolean {
    const after = (own: number, source: number) => this.#after(variable, assign, own, source, isSource);
    return after(3, 1) === 3 || after(1, 3) === 1;
  }

  /**
   * The tensors of an assignment's value, from the value backwards through elementwise ops: the candidates for its average.
   * Reads of the variable itself end the search.
   * @param ends - other ops that end it
   */
  candidates(variable: Variable, assign: Node, ends: (node: Node) => boolean = () => false): TensorRef[] {
    if (this.#probes < 0) {
      this.truncated.add(assign.name);
      return [];
    }
    const found = new Map<string, TensorRef>();
    const queue: TensorRef[] = [updatedValue(assign)];
    for (const ref of queue) {
      if (found.has(refText(ref)) || this.isOwn(variable, ref)) continue;
      if (found.size > MAX_UPDATE_OPS) {
        this.truncated.add(assign.name);
        break;
      }
      const node = this.#graph.find(ref.node);
      if (!node) continue;
      found.set(refText(ref), ref);
      if (isElementwise(node) && !ends(node)) for (const input of operands(node)) queue.push(input);
    }
    return [...found.values()];
  }

  /** Whether a tensor is a plain read of the variable, or of the row. */
  isOwn(variable: Variable, ref: TensorRef): boolean {
    if (variable.row) return this.#rows?.keyOf(ref) === variable.row.key;
    return this.#variables.readBy(ref)?.node === variable.node;
  }

  /** The value of the variable after one update from `own`, if the source is `source`. */
  #after(variable: Variable, assign: Node, own: number, source: number, isSource: (ref: TensorRef) => boolean): number {
    const value = evaluate(this.#graph, updatedValue(assign), (ref) => {
      this.#probes--;
      if (isSource(ref)) return source;
      if (this.isOwn(variable, ref)) return own;
      return isElementCount(this.#graph, ref) ? LARGE_BATCH : undefined;
    });
    return afterAssignment(updateKind(assign)!, own, value);
  }
}

const SMALLEST_STEP = 1e-9;

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(b));
}
