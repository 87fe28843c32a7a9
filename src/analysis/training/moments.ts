import type { Graph } from '../../graph/graph.js';
import { type Node, refText, sameRef, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { spread } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import { isElementwise } from '../state/assignments.js';
import type { MovingAverages } from '../state/moving_averages.js';
import { forwardsElement } from '../values/evaluate.js';
import type { Shapes } from '../values/shapes.js';
import { isBatchAxisReduction } from './batch_statistics.js';
import { SearchBudget } from './search_budget.js';

const reduces = anyOf('average');
const scalesBy = anyOf('multiply', 'divide');
const clips = anyOf('activation');
const addsTo = anyOf('add', 'extremum');
const adds = anyOf('add');
const differs = anyOf('subtract');
const isMultiply = anyOf('multiply');
const divides = anyOf('divide');
const inverts = anyOf('reciprocal');
const squares = anyOf('square', 'power');
const unwraps = anyOf('identity', 'cast', 'reshape', 'enter');
const isBranch = anyOf('switch');
const takesPart = anyOf('slice', 'split', 'gather');

/**
 * Maximum number of nodes between a reduction and its activation: moments have a few. Limits the cost where a net
 * consists of products and differences.
 */
const MAX_OPERAND = 64;

/** The batch statistics of a graph, and how means and variances are computed from reductions over the batch. */
export class Moments {
  /** What searches for batch norms have left. */
  readonly budget: SearchBudget;
  readonly #graph: Graph;
  readonly #shapes: Shapes;
  readonly #activations: NodeSet;
  readonly #averages: MovingAverages;
  /** Nodes that depend on inputs only through reductions over the batch. */
  readonly #statistics: NodeSet;
  readonly #operands = new Map<Node, readonly Node[]>();
  /** Normalisations may share their statistics. */
  readonly #carriers = new Map<string, TensorRef[]>();

  constructor(graph: Graph, shapes: Shapes, activations: NodeSet, averages: MovingAverages) {
    this.#graph = graph;
    this.#shapes = shapes;
    this.#activations = activations;
    this.#averages = averages;
    this.budget = new SearchBudget(graph);
    this.#statistics = spread(graph, (node, found) => {
      if (!activations.has(node)) return false;
      if (this.#isReduction(node)) return true;
      if (!isElementwise(node) && !reduces(node)) return false;
      const fed = graph.inputNodes(node).filter((input) => activations.has(input));
      return fed.length > 0 && fed.every((input) => found.has(input));
    });
  }

  /** Whether a node depends on inputs only through reductions over the batch. */
  isStatistic(node: Node): boolean {
    return this.#statistics.has(node);
  }

  /** From the argument of a root back to the variance: past `+ epsilon` and what is around it, then past changes of shape and type. */
  varianceCarriers(head: TensorRef): TensorRef[] {
    const found: TensorRef[] = [];
    const seen = new Set<string>();
    let at: TensorRef | undefined = head;
    while (at && !seen.has(refText(at))) {
      this.budget.spend(1, at.node);
      seen.add(refText(at));
      const node = this.#graph.find(at.node);
      if (!node) break;
      const data: readonly TensorRef[] = node.inputs.filter((ref) => this.#isFed(ref));
      if (found.length === 0 && data.length === 1 && this.#isOutside(node, data[0]!)) {
        at = data[0];
        continue;
      }
      found.push(at);
      const passes = forwardsElement(node) && node.op !== 'Mean' && !isBranch(node);
      const isScaled = (scalesBy(node) || clips(node)) && data.length === 1;
      at = passes ? node.inputs[0] : isScaled ? data[0] : undefined;
    }
    return found;
  }

  /** Whether an op takes a variance and does not make one: it adds epsilon, scales that sum, or is the reciprocal. */
  #isOutside(node: Node, taken: TensorRef): boolean {
    if (addsTo(node)) return true;
    if (this.#averages.has(node.name)) return false;
    if (inverts(node) || (divides(node) && sameRef(node.inputs[1]!, taken))) return true;
    const sum = this.#graph.find(taken.node);
    const isShifted = sum !== undefined && addsTo(sum) && sum.inputs.filter((ref) => this.#isFed(ref)).length === 1;
    return scalesBy(node) && isShifted;
  }

  /** The reductions over the batch that a variance is computed from, including those of the mean that it subtracts. */
  reductionsOf(variance: TensorRef): Node[] {
    const found: Node[] = [];
    const seen = new Set([variance.node]);
    for (const name of seen) {
      const node = this.#graph.find(name);
      if (!node) continue;
      this.budget.spend(1 + node.inputs.length, name);
      const isReduction = this.#isReduction(node);
      if (isReduction) found.push(node);
      const inputs = isReduction ? this.#meansTakenOff(node) : node.inputs;
      for (const ref of inputs) if (this.#statistics.hasNamed(ref.node)) seen.add(ref.node);
    }
    return found;
  }

  /** The activation of reductions, before squares, shifts and casts, and all tensors whose normalisation by them is a batch norm. */
  sourcesOf(reductions: readonly Node[]): { x: TensorRef; all: ReadonlySet<string> } {
    const all = new Set<string>();
    let x = reductions[0]!.inputs[0]!;
    for (const reduction of reductions) {
      all.add(refText(reduction.inputs[0]!));
      for (const node of this.#operandOf(reduction)) {
        const data = this.#openedBy(node).filter((ref) => this.#isFed(ref));
        if (data.length === 0) continue;
        x = data[0]!;
        for (const ref of isMultiply(node) ? data : data.slice(0, 1)) all.add(refText(ref));
      }
      for (const whole of this.#wholesOf(reduction)) all.add(refText(whole));
    }
    return { x, all };
  }

  /** The activations of which a reduction takes a part, or which are averaged over other axes before it. */
  #wholesOf(reduction: Node): TensorRef[] {
    const found: TensorRef[] = [];
    const dataOf = (node: Node) => node.inputs.filter((ref) => this.#isFed(ref)).slice(0, 1);
    const seen = new Map([reduction, ...this.#operandOf(reduction)].flatMap(dataOf).map((ref) => [refText(ref), ref]));
    for (const ref of seen.values()) {
      const node = this.#graph.find(ref.node);
      const [whole] = node ? dataOf(node) : [];
      if (!node || !whole || seen.size > MAX_OPERAND) continue;
      const isOpened = takesPart(node) || reduces(node) || squares(node) || differs(node) || unwraps(node);
      if (!isOpened) continue;
      found.push(whole);
      seen.set(refText(whole), whole);
    }
    return found;
  }

  /** Tensors that are a mean: reductions of activations that are not squared, and averaged tensors that others subtract. */
  meansOf(reductions: readonly Node[]): TensorRef[] {
    const takenOff = reductions.flatMap((reduction) =>
      this.#operandOf(reduction)
        .filter((node) => squares(node) && differs(node))
        .flatMap((node) => node.inputs.filter((ref) => this.#averages.has(refText(ref)))),
    );
    const plain = reductions.filter((reduction) => !this.#isSquared(reduction));
    return [...takenOff, ...plain.map(({ name }) => ({ node: name, port: 0 }))];
  }

  /**
   * The given tensors, and nodes that only reshape them or scale them by a parameter. If a shift is added back
   * (shifted moments), the mean starts there.
   */
  carriersOf(refs: readonly TensorRef[]): TensorRef[] {
    const key = refs.map(refText).join();
    const found = this.#carriers.get(key) ?? this.#searchCarriers(refs);
    this.#carriers.set(key, found);
    return found;
  }

  #searchCarriers(refs: readonly TensorRef[]): TensorRef[] {
    let from = refs;
    for (;;) {
      const { found, unshifted } = this.#carriedFrom(from);
      const isNew = unshifted.length > 0 && !from.some((ref) => unshifted.some((out) => out.node === ref.node));
      if (!isNew) return found;
      from = unshifted;
    }
  }

  #carriedFrom(refs: readonly TensorRef[]): { found: TensorRef[]; unshifted: TensorRef[] } {
    const found = new Map(refs.map((ref) => [refText(ref), ref]));
    const unshifted: TensorRef[] = [];
    for (const ref of found.values()) {
      for (const node of this.#graph.consumers(ref)) {
        this.budget.spend(1 + node.inputs.length, node.name);
        const out = { node: node.name, port: 0 };
        const data = node.inputs.filter((each) => this.#isFed(each));
        if (adds(node) && this.#isUnshifted(node, data, found)) unshifted.push(out);
        else if (forwardsElement(node) && node.inputs[0] && sameRef(node.inputs[0], ref)) found.set(node.name, out);
        else if (scalesBy(node) && data.length === 1) found.set(node.name, out);
      }
    }
    return { found: [...found.values()], unshifted };
  }

  /** Whether a sum adds a shift back to a mean: a variable averages it, or it depends on inputs only through that mean. */
  #isUnshifted(sum: Node, data: readonly TensorRef[], means: ReadonlyMap<string, TensorRef>): boolean {
    return this.#averages.has(sum.name) || (data.length > 1 && data.every((each) => means.has(refText(each))));
  }

  #isFed(ref: TensorRef): boolean {
    return this.#activations.hasNamed(ref.node);
  }

  #isReduction(node: Node): boolean {
    if (!reduces(node) || !node.inputs[0] || !this.#isFed(node.inputs[0])) return false;
    return isBatchAxisReduction(this.#graph, this.#shapes, node) || this.#averages.has(node.name);
  }

  /** The statistics that the operand of a reduction subtracts: the mean in a squared difference. */
  #meansTakenOff(reduction: Node): TensorRef[] {
    return this.#operandOf(reduction)
      .filter((node) => differs(node))
      .flatMap((node) => node.inputs.filter((ref) => this.#statistics.hasNamed(ref.node)));
  }

  /** The nodes between a reduction and the activation that it reduces: casts, weights, squares, differences. */
  #operandOf(reduction: Node): readonly Node[] {
    const found = this.#operands.get(reduction) ?? this.#searchOperand(reduction);
    this.#operands.set(reduction, found);
    return found;
  }

  #searchOperand(reduction: Node): Node[] {
    const found: Node[] = [];
    const seen = new Set([reduction.inputs[0]!.node]);
    for (const name of seen) {
      const node = this.#graph.find(name);
      if (!node || this.#statistics.has(node)) continue;
      found.push(node);
      if (found.length === MAX_OPERAND) break;
      for (const ref of this.#openedBy(node)) if (this.#isFed(ref)) seen.add(ref.node);
    }
    return found;
  }

  /** The inputs of a node between a reduction and its activation; none if the node is the activation. */
  #openedBy(node: Node): readonly TensorRef[] {
    if (differs(node)) return node.inputs.slice(0, 1);
    if (unwraps(node) || squares(node)) return node.inputs;
    // Scaled by a statistic, it is the result of a normalisation: an activation.
    const isWeighted = isMultiply(node) && !node.inputs.some((ref) => this.#statistics.hasNamed(ref.node));
    return isWeighted ? node.inputs : [];
  }

  #isSquared(reduction: Node): boolean {
    return this.#operandOf(reduction).some(
      (node) => squares(node) || (isMultiply(node) && sameRef(node.inputs[0]!, node.inputs[1]!)),
    );
  }
}
