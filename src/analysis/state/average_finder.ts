import type { Graph } from '../../graph/graph.js';
import { type Node, refText, sameRef, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { elementCount } from '../../graph/tensor.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, scalarOf } from '../../ops/meaning.js';
import { constantInts } from '../values/constants.js';
import { evaluate, forwardsElement } from '../values/evaluate.js';
import { Shapes } from '../values/shapes.js';
import {
  type Assignments,
  assignedVariable,
  assignKind,
  findAssignments,
  isElementwise,
  operands,
  updatedValue,
  updateKind,
} from './assignments.js';
import { AverageCheck, MAX_UPDATE_OPS } from './average_check.js';
import { DataTensors } from './data_tensors.js';
import { Decays } from './decays.js';
import type { MovingAverage } from './moving_average.js';
import { Rows } from './rows.js';
import { SteadyState } from './steady_state.js';
import type { Variable, Variables } from './variables.js';

/** Expressions of more tensors are not searched for the variable. */
const MAX_SHIFTED = 2000;

const isConstant = anyOf('constant');
const waits = anyOf('read', 'no_op');
const reduces = anyOf('reduction');
const sumsOrAverages = anyOf('average');

/** Finds which tensors an assignment makes its variable average. */
export class AverageFinder {
  readonly assignments: ReadonlyMap<string, Assignments>;
  readonly steadyState: SteadyState;
  readonly check: AverageCheck;
  readonly rows: Rows;
  readonly decays: Decays;
  readonly data: DataTensors;
  readonly #graph: Graph;
  readonly #variables: Variables;
  readonly #shapes: Shapes;

  constructor(graph: Graph, variables: Variables, activations: NodeSet) {
    this.#graph = graph;
    this.#variables = variables;
    this.#shapes = new Shapes(graph);
    this.assignments = findAssignments(graph, variables);
    this.data = new DataTensors(graph, variables, activations, this.assignments);
    this.rows = new Rows(graph, variables, this.#shapes);
    this.check = new AverageCheck(graph, variables, this.rows);
    this.steadyState = new SteadyState(graph, variables);
    this.decays = new Decays(graph, this.check, this.steadyState);
    for (const { variable, assigns } of this.assignments.values()) {
      for (const assign of assigns) {
        const value = this.#constantOf(variable, assign);
        if (value !== undefined) this.steadyState.constants.set(variable.node, value);
      }
    }
  }

  /** The tensors along the chain that the assignment makes its variable average, nearest first. */
  averages(variable: Variable, assign: Node): MovingAverage[] {
    const statistic = this.#statisticOf(variable, assign);
    if (!statistic) return [];
    if (!this.#hasSize(variable, statistic)) return [];
    const isCopy =
      (updateKind(assign) === 'set' && sameRef(statistic, updatedValue(assign))) ||
      this.check.overwrites(variable, assign, (leaf) => sameRef(leaf, statistic));
    const via: string[] = [];
    if (isCopy) this.decays.addCorrected(variable, via);
    else this.decays.add(variable, assign, statistic);
    const averages: MovingAverage[] = [];
    /** What the variable converges to if the tensor is always `x`. */
    let limit = (x: number) => x;
    let top = statistic;
    let at: TensorRef | undefined = statistic;
    const seen = new Set<string>();
    while (at && !seen.has(refText(at)) && seen.size < MAX_UPDATE_OPS) {
      const here: TensorRef = at;
      const outer = limit;
      const from = top;
      const throughHere = (x: number) =>
        outer(this.steadyState.valueOfUpdate(from, (ref) => (this.#isSame(ref, here) ? x : undefined)));
      this.#passUpdates(here, variable, via);
      const factor = factorOf(throughHere);
      const isMultiple = factor !== undefined && !isCorrection(factor);
      if (factor !== undefined && (via.length > 0 || !isMultiple)) {
        const isDirect = seen.size === 0;
        const isCarried = top !== statistic;
        averages.push({
          variable,
          statistic: here,
          assign: assign.name,
          isDirect,
          isCopy,
          via: [...via],
          isCarried,
          factor,
          isMultiple,
        });
      }
      seen.add(refText(here));
      const hop = this.#isBareRead(top, here) ? undefined : this.#hop(here, variable, via);
      if (hop) {
        limit = throughHere;
        top = hop;
      }
      at = hop ?? this.#upstream(here);
      if (at && !this.#hasChannels(variable, at)) at = undefined;
      if (!at && !variable.row) {
        this.steadyState.converged.set(variable.node, { variable: variable.node, base: here, limit: throughHere });
      }
    }
    if (at) this.check.truncated.add(assign.name);
    return averages;
  }

  /** The constant that a variable is averaged with, if any. */
  #constantOf(variable: Variable, assign: Node): number | undefined {
    if (assignKind(assign) === 'set') return undefined;
    const source = this.check
      .candidates(variable, assign)
      .find(
        (ref) =>
          isConstant(this.#graph.find(ref.node)) && this.check.holds(variable, assign, (leaf) => sameRef(leaf, ref)),
      );
    return source && evaluate(this.#graph, source, () => undefined);
  }

  /** The tensor that an assignment averages; for moments that are shifted by the variable itself, the innermost. */
  #statisticOf(variable: Variable, assign: Node): TensorRef | undefined {
    let shifted: TensorRef | undefined;
    for (const ref of this.check.candidates(variable, assign)) {
      const isSource = (leaf: TensorRef) => sameRef(leaf, ref);
      if (!this.data.has(ref) || !this.check.holds(variable, assign, isSource)) continue;
      // The largest of all means is no mean; of all maxima, it is one.
      if (!this.#isExtremum(ref) && this.check.keepsExtremum(variable, assign, isSource)) continue;
      if (!this.#contains(ref, variable)) return ref;
      shifted = ref;
    }
    return shifted && !sameRef(shifted, updatedValue(assign)) ? shifted : undefined;
  }

  /** Whether a tensor has as many elements as a variable, if both are known: otherwise it is only part of what the variable holds. */
  #hasSize({ shape }: Variable, ref: TensorRef): boolean {
    const own = this.#shapes.of(ref);
    if (!shape || !own || [...shape, ...own].some((size) => size < 0)) return true;
    return elementCount(shape) === elementCount(own);
  }

  /**
   * Whether a tensor may have the channels of a variable, besides other dimensions (virtual batches, towers). A variable of
   * one number that averages a mean over the channels, or one of them, does not hold their statistics.
   */
  #hasChannels({ shape }: Variable, ref: TensorRef): boolean {
    const own = this.#shapes.of(ref);
    if (!shape || !own) return true;
    const [channels, sizes] = [shape, own].map((all) => all.filter((size) => size !== 1)) as [number[], number[]];
    if (channels.length === 0) return sizes.length === 0;
    return channels.every((size, i) => {
      const other = sizes.at(i - channels.length);
      return other !== undefined && (size < 0 || other < 0 || size === other);
    });
  }

  /** Whether a tensor is a maximum or a minimum over an axis. */
  #isExtremum(ref: TensorRef): boolean {
    const made = this.#graph.find(sourceOf(this.#graph, ref, forwardsElement).node);
    return reduces(made) && !sumsOrAverages(made);
  }

  /** Whether an expression reads the variable. */
  #contains(ref: TensorRef, variable: Variable): boolean {
    const queue = new Map([[refText(ref), ref]]);
    for (const at of queue.values()) {
      // A longer expression is no statistic that is shifted by the variable; `candidates` has reported it.
      if (queue.size > MAX_SHIFTED || this.check.isOwn(variable, at)) return true;
      const node = this.#graph.find(at.node);
      if (node && isElementwise(node)) for (const input of operands(node)) queue.set(refText(input), input);
    }
    return false;
  }

  /** The tensor that a statistic was computed from, if it depends on one tensor and parameters. */
  #upstream(ref: TensorRef): TensorRef | undefined {
    const node = this.#graph.find(ref.node);
    if (!node) return undefined;
    if (scalarOf(node.op) === undefined) {
      if (!forwardsElement(node)) return undefined;
      return node.op === 'Mean' && !this.#isMeanOfMeans(node) ? undefined : node.inputs[0];
    }
    const data = node.inputs.filter((input) => this.data.has(input));
    return data.every((each) => this.#isSame(each, data[0]!)) ? data[0] : undefined;
  }

  /** Whether two tensors are the same, or reads of the same variable. */
  #isSame(a: TensorRef, b: TensorRef): boolean {
    if (sameRef(a, b)) return true;
    const variable = this.#variables.readBy(a);
    return variable !== undefined && variable === this.#variables.readBy(b);
  }

  /** Whether a Mean averages a statistic (of virtual batches), instead of computing one (from pooled activations, say). */
  #isMeanOfMeans(mean: Node): boolean {
    let at = this.#graph.inputNode(mean, 0);
    while (at && forwardsElement(at) && at.op !== 'Mean') at = this.#graph.inputNode(at, 0);
    if (at?.op !== 'Mean') return false;
    const axes = constantInts(this.#graph, at.inputs[1]);
    return !axes || axes.includes(0);
  }

  /**
   * Whether a statistic is just the value of another variable, which is then averaged for its own sake (a target
   * network, an EMA weight). A statistic that is passed on through variables is debiased or corrected.
   */
  #isBareRead(statistic: TensorRef, here: TensorRef): boolean {
    return sameRef(sourceOf(this.#graph, statistic, forwardsElement), sourceOf(this.#graph, here, forwardsElement));
  }

  /** Records variables whose update this step waits for: they exist for training (renorm), not for inference. */
  #passUpdates(ref: TensorRef, own: Variable, via: string[]): void {
    for (const name of this.#graph.find(ref.node)?.controls ?? []) {
      for (const assign of this.#assignsBefore(name)) {
        const between = assignedVariable(this.#variables, assign)?.node;
        if (between !== undefined && between !== own.node && !via.includes(between)) via.push(between);
      }
    }
  }

  /** The assignment of that name, or the assignments that a node of that name waits for. */
  #assignsBefore(name: string): Node[] {
    const found: Node[] = [];
    const waiting = [this.#graph.find(name)];
    const seen = new Set<Node>();
    while (waiting.length > 0) {
      const node = waiting.pop();
      if (!node || seen.has(node)) continue;
      seen.add(node);
      if (assignKind(node) && node.inputs[0]) {
        found.push(node);
        continue;
      }
      const isIdentity = node.op === 'Identity';
      if (!isIdentity && !waits(node)) continue;
      const before = [...node.controls, ...(isIdentity ? node.inputs.map((input) => input.node) : [])];
      for (const input of before.toReversed()) {
        const next = this.#graph.find(input);
        if (next?.op !== 'NoOp') waiting.push(next);
      }
    }
    return found;
  }

  /**
   * From the newly assigned value of another moving average to what that one averages. A plain read that does not wait for
   * the update is excluded: an EMA of weights reads like that.
   */
  #hop(ref: TensorRef, own: Variable, via: string[]): TensorRef | undefined {
    const node = this.#graph.find(ref.node);
    if (!node) return undefined;
    const isAssign = assignKind(node) !== undefined;
    const between = isAssign ? assignedVariable(this.#variables, node) : this.#variables.readBy(ref);
    if (!between || between.node === own.node || own.node.startsWith(`${between.node}/`)) return undefined;
    // It waits for the update directly, or for a read that does (zero debias of resource variables), in the same tower.
    const assigns = isAssign ? [node] : node.controls.flatMap((name) => this.#assignsBefore(name));
    for (const assign of assigns) {
      if (assignedVariable(this.#variables, assign)?.node !== between.node) continue;
      const statistic = this.#statisticOf(between, assign);
      if (statistic && this.#variables.readBy(statistic) === undefined) {
        if (!via.includes(between.node)) via.push(between.node);
        return statistic;
      }
    }
    return undefined;
  }
}

/** The constant ratio of a variable to its statistic; undefined if a root or a square is between them. */
function factorOf(limit: (x: number) => number): number | undefined {
  const [a, b, c] = [limit(0.8) / 0.8, limit(1.7) / 1.7, limit(3.1) / 3.1];
  const close = (x: number, y: number) => Math.abs(x - y) <= 1e-6 * Math.abs(y);
  return Number.isFinite(a) && a !== 0 && close(a, b) && close(b, c) ? a : undefined;
}

/** Whether a factor may be Bessel's correction, for at least three elements; other factors give a multiple of the statistic. */
function isCorrection(factor: number): boolean {
  const larger = Math.max(factor, 1 / factor);
  const elements = Math.round(larger / (larger - 1));
  return larger === 1 || (elements >= 3 && Math.abs(larger - elements / (elements - 1)) < 1e-4);
}
