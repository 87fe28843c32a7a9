import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { refText, sameRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { sourceOf } from '../../graph/walk.js';
import { constantInts } from '../values/constants.js';
import { ARITHMETIC, ELEMENT_PRESERVING_OPS, evaluate, MAX_EXPRESSION } from '../values/evaluate.js';
import type { Variable, Variables } from './variables.js';

/** A moving average: `variable` follows the tensor `statistic`, as its own update op proves. */
export interface MovingAverage {
  readonly variable: Variable;
  readonly statistic: TensorRef;
  /** The op that assigns. */
  readonly assign: string;
  /** Node names from the statistic to the assign op. */
  readonly path: readonly string[];
  /** Whether it is overwritten by the statistic, not averaged with it. */
  readonly isCopy: boolean;
  /** Variables that lie between (zero debias, renorm). */
  readonly via: readonly string[];
}

/** What a variable comes to when a statistic stays the same. */
export interface Follower {
  readonly variable: string;
  /** The tensor that the chain of updates begins with. */
  readonly base: TensorRef;
  readonly limit: (statistic: number) => number;
}

/** All that the update ops of a graph tell. */
export interface Updates {
  readonly averages: MovingAverages;
  readonly followers: readonly Follower[];
  /** Variables that some op updates with data, as an average or otherwise. */
  readonly updated: ReadonlySet<string>;
  /** Variables that average a constant: what they come to. */
  readonly settled: ReadonlyMap<string, number>;
}

/** Which variables follow which tensor, by `node:port`. */
export type MovingAverages = ReadonlyMap<string, readonly MovingAverage[]>;

type AssignKind = 'set' | 'add' | 'sub';

const ASSIGN_KINDS: Readonly<Record<string, AssignKind>> = {
  Assign: 'set',
  AssignVariableOp: 'set',
  AssignNewValue: 'set',
  AssignAdd: 'add',
  AssignAddVariableOp: 'add',
  AssignSub: 'sub',
  AssignSubVariableOp: 'sub',
};

/** Ops that say something about shapes, never about data. */
const SHAPE_FACTS: ReadonlySet<string> = new Set([
  'Shape',
  'ShapeN',
  'Size',
  'Rank',
  'Const',
  'Placeholder',
  'PlaceholderWithDefault',
]);

/** Finds every variable that is a moving average of some tensor, by reading the ops that assign to it. */
export function findUpdates(graph: Graph, variables: Variables, activations: NodeSet): Updates {
  const finder = new Finder(graph, variables, activations);
  const found = new Map<string, MovingAverage[]>();
  for (const { variable, assigns } of finder.targets.values()) {
    for (const assign of assigns) {
      for (const average of finder.averages(variable, assign)) {
        const key = refText(average.statistic);
        const list = found.get(key);
        if (list) list.push(average);
        else found.set(key, [average]);
      }
    }
  }
  for (const [key, list] of found) found.set(key, finalAverages(list));
  const updated = new Set([...finder.targets.keys()].filter((variable) => finder.isUpdated(variable)));
  return { averages: found, followers: finder.followers, settled: finder.settled, updated };
}

/** The averages that inference reads: not those that only carry a statistic on to another variable. */
export function finalAverages(averages: readonly MovingAverage[]): MovingAverage[] {
  const between = new Set(averages.flatMap((average) => average.via));
  const last = averages.filter((average) => !between.has(average.variable.node));
  // A plain copy of a statistic is for somebody to look at, where an average of it is kept as well.
  const averaged = last.filter((average) => !average.isCopy || average.via.length > 0);
  const final = averaged.length > 0 ? averaged : last;
  const seen = new Set<string>();
  return final.filter(({ variable }) => !seen.has(variable.node) && seen.add(variable.node));
}

const LARGE_BATCH = 1e9;
const COUNTS: ReadonlySet<string> = new Set(['Shape', 'Size']);
const OF_COUNTS: ReadonlySet<string> = new Set([
  'StridedSlice',
  'Slice',
  'Gather',
  'GatherV2',
  'Prod',
  'Cast',
  'Identity',
  'Reshape',
  'Squeeze',
]);

interface Target {
  readonly variable: Variable;
  readonly assigns: Node[];
}

class Finder {
  readonly targets = new Map<string, Target>();
  readonly followers: Follower[] = [];
  readonly settled = new Map<string, number>();
  readonly #graph: Graph;
  readonly #variables: Variables;
  readonly #activations: NodeSet;
  /** Whether a variable follows data (not only constants), by node; undefined while it is being found out. */
  readonly #followsData = new Map<string, boolean | undefined>();

  constructor(graph: Graph, variables: Variables, activations: NodeSet) {
    this.#graph = graph;
    this.#variables = variables;
    this.#activations = activations;
    for (const node of graph.nodes()) {
      if (!(node.op in ASSIGN_KINDS) || !node.inputs[0] || !node.inputs[1]) continue;
      const variable = variables.ofHandle(node.inputs[0]);
      if (!variable) continue;
      const target = this.targets.get(variable.node);
      if (target) target.assigns.push(node);
      else this.targets.set(variable.node, { variable, assigns: [node] });
    }
    for (const { variable, assigns } of this.targets.values()) {
      for (const assign of assigns) {
        const value = this.#constantOf(variable, assign);
        if (value !== undefined) this.settled.set(variable.node, value);
      }
    }
  }

  isUpdated(variable: string): boolean {
    const target = this.targets.get(variable);
    return target !== undefined && this.#variableFollowsData(target.variable);
  }

  /** The constant that a variable is averaged with, where it is one. */
  #constantOf(variable: Variable, assign: Node): number | undefined {
    if (ASSIGN_KINDS[assign.op] === 'set') return undefined;
    const isOwn = (ref: TensorRef) => this.#variables.readBy(ref)?.node === variable.node;
    const queue: TensorRef[] = [assign.inputs[1]!];
    for (const ref of queue) {
      const node = this.#graph.find(ref.node);
      if (!node || isOwn(ref) || queue.length > 50) continue;
      if (node.op === 'Const' && this.#isFixedPoint(assign, ref, isOwn))
        return evaluate(this.#graph, ref, () => undefined);
      if (this.#isTransparent(node)) queue.push(...operands(node));
    }
    return undefined;
  }

  /** What is known of a leaf: variables that settle at a constant. */
  #settledAt(ref: TensorRef): number | undefined {
    if (this.settled.size === 0) return undefined;
    const node = this.#graph.find(ref.node);
    const assigned = node && node.op in ASSIGN_KINDS && node.inputs[0];
    const variable = assigned ? this.#variables.ofHandle(assigned) : this.#variables.readBy(ref);
    return variable && this.settled.get(variable.node);
  }

  /** The tensors along the chain that the assign op makes its variable follow, nearest first. */
  averages(variable: Variable, assign: Node): MovingAverage[] {
    const statistic = this.#statisticOf(variable, assign);
    if (!statistic) return [];
    const isCopy = ASSIGN_KINDS[assign.op] === 'set' && sameRef(statistic, assign.inputs[1]!);
    const path = [assign.name];
    const via: string[] = [];
    const averages: MovingAverage[] = [];
    /** What the variable comes to when the tensor is `x` all the time. */
    let limit = (x: number) => x;
    let top = statistic;
    let at: TensorRef | undefined = statistic;
    while (at && path.length < MAX_EXPRESSION) {
      const here: TensorRef = at;
      const outer = limit;
      const from = top;
      const throughHere = (x: number) =>
        outer(evaluate(this.#graph, from, (ref) => (this.#isSame(ref, here) ? x : this.#settledAt(ref))));
      this.#passUpdates(here, variable, via);
      if (isProportional(throughHere)) {
        averages.push({
          isCopy,
          variable,
          statistic: here,
          assign: assign.name,
          path: [...path].reverse(),
          via: [...via],
        });
      }
      path.push(here.node);
      const hop = this.#isBareRead(top, here) ? undefined : this.#hop(here, variable, via);
      if (hop) {
        limit = throughHere;
        top = hop;
      }
      at = hop ?? this.#upstream(here);
      if (!at) this.followers.push({ variable: variable.node, base: here, limit: throughHere });
    }
    return averages;
  }

  /** The tensor s for which the assignment leaves the variable alone once variable == s: what it is an average of. */
  #statisticOf(variable: Variable, assign: Node): TensorRef | undefined {
    const isOwn = (ref: TensorRef) => this.#variables.readBy(ref)?.node === variable.node;
    const queue: TensorRef[] = [assign.inputs[1]!];
    const seen = new Set<string>();
    // Moments that are shifted by the moving mean contain the variable themselves: the innermost such tensor counts.
    let shifted: TensorRef | undefined;
    for (const ref of queue) {
      const key = refText(ref);
      if (seen.has(key) || seen.size > MAX_EXPRESSION || isOwn(ref)) continue;
      seen.add(key);
      const node = this.#graph.find(ref.node);
      if (!node) continue;
      if (this.#isData(ref) && this.#isFixedPoint(assign, ref, isOwn)) {
        if (!this.#contains(ref, isOwn)) return ref;
        shifted = ref;
      }
      if (this.#isTransparent(node)) queue.push(...operands(node));
    }
    return shifted && refText(shifted) !== refText(assign.inputs[1]!) ? shifted : undefined;
  }

  #isTransparent(node: Node): boolean {
    return node.op in ARITHMETIC || ELEMENT_PRESERVING_OPS.has(node.op);
  }

  #isFixedPoint(assign: Node, statistic: TensorRef, isOwn: (ref: TensorRef) => boolean): boolean {
    const after = (own: number, observed: number): number => {
      const value = evaluate(this.#graph, assign.inputs[1]!, (ref) =>
        sameRef(ref, statistic) ? observed : isOwn(ref) ? own : this.#isCount(ref) ? LARGE_BATCH : undefined,
      );
      const kind = ASSIGN_KINDS[assign.op]!;
      return kind === 'set' ? value : kind === 'add' ? own + value : own - value;
    };
    const close = (a: number, b: number) => Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(b));
    // Fixed at two points, and it does move towards the statistic elsewhere.
    const moved = after(1, 3) - 1;
    return close(after(2.5, 2.5), 2.5) && close(after(0.75, 0.75), 0.75) && Math.abs(moved) > 1e-9;
  }

  /** Whether a tensor counts elements of data. There are so many of them that Bessel's correction is none. */
  #isCount(ref: TensorRef): boolean {
    let node = this.#graph.find(ref.node);
    for (let step = 0; node && step < 10; step++) {
      if (COUNTS.has(node.op)) return true;
      if (!OF_COUNTS.has(node.op)) return false;
      node = this.#graph.inputNode(node, 0);
    }
    return false;
  }

  #contains(ref: TensorRef, wanted: (ref: TensorRef) => boolean, seen = new Set<string>()): boolean {
    if (wanted(ref)) return true;
    const key = refText(ref);
    if (seen.has(key) || seen.size > MAX_EXPRESSION) return false;
    seen.add(key);
    const node = this.#graph.find(ref.node);
    return !!node && this.#isTransparent(node) && operands(node).some((input) => this.#contains(input, wanted, seen));
  }

  /** The tensor that a statistic was made of, where it is one tensor and parameters. */
  #upstream(ref: TensorRef): TensorRef | undefined {
    const node = this.#graph.find(ref.node);
    if (!node) return undefined;
    if (ELEMENT_PRESERVING_OPS.has(node.op))
      return node.op === 'Mean' && !this.#isAverage(node) ? undefined : node.inputs[0];
    if (!(node.op in ARITHMETIC)) return undefined;
    const data = node.inputs.filter((input) => this.#isData(input));
    return data.every((each) => this.#isSame(each, data[0]!)) ? data[0] : undefined;
  }

  /** Whether two tensors are one, or two reads of one variable. */
  #isSame(a: TensorRef, b: TensorRef): boolean {
    if (sameRef(a, b)) return true;
    const variable = this.#variables.readBy(a);
    return variable !== undefined && variable === this.#variables.readBy(b);
  }

  /** A Mean of a statistic (virtual batches), not the Mean that makes it: that of pooled activations, say. */
  #isAverage(mean: Node): boolean {
    let at = this.#graph.inputNode(mean, 0);
    while (at && ELEMENT_PRESERVING_OPS.has(at.op) && at.op !== 'Mean') at = this.#graph.inputNode(at, 0);
    if (at?.op !== 'Mean') return false;
    const axes = constantInts(this.#graph, at.inputs[1]);
    return !axes || axes.includes(0);
  }

  /**
   * Whether a statistic is nothing but the value of another variable: then it is averaged for its own sake (a target
   * network, a shadow), not handed on. What is handed on is debiased or corrected.
   */
  #isBareRead(statistic: TensorRef, here: TensorRef): boolean {
    return sameRef(
      sourceOf(this.#graph, statistic, ELEMENT_PRESERVING_OPS),
      sourceOf(this.#graph, here, ELEMENT_PRESERVING_OPS),
    );
  }

  /** Notes variables whose update this step waits for: they are kept for training (renorm), not for inference. */
  #passUpdates(ref: TensorRef, own: Variable, via: string[]): void {
    for (const name of this.#graph.find(ref.node)?.controls ?? []) {
      for (const assign of this.#assignsBefore(name)) {
        const between = this.#variables.ofHandle(assign.inputs[0]!)?.node;
        if (between !== undefined && between !== own.node && !via.includes(between)) via.push(between);
      }
    }
  }

  /** The assign op of that name, or those that it reads a variable after. */
  #assignsBefore(name: string): Node[] {
    const node = this.#graph.find(name);
    if (!node) return [];
    if (node.op in ASSIGN_KINDS && node.inputs[0]) return [node];
    const passes = node.op === 'Identity' || node.op === 'ReadVariableOp' || node.op === 'NoOp';
    if (!passes) return [];
    const before = [...node.controls, ...(node.op === 'Identity' ? node.inputs.map((input) => input.node) : [])];
    return before.flatMap((input) => (this.#graph.find(input)?.op === 'NoOp' ? [] : this.#assignsBefore(input)));
  }

  /**
   * From the freshly assigned value of another moving average to what that one follows. A plain read of it, not bound to
   * its update, is no such value: a shadow of weights reads like that.
   */
  #hop(ref: TensorRef, own: Variable, via: string[]): TensorRef | undefined {
    const node = this.#graph.find(ref.node);
    if (!node) return undefined;
    const isAssign = node.op in ASSIGN_KINDS && node.inputs[0];
    const between = isAssign ? this.#variables.ofHandle(isAssign) : this.#variables.readBy(ref);
    if (!between || between.node === own.node || own.node.startsWith(`${between.node}/`)) return undefined;
    // Bound to the update directly, or to a read that is (zero debias of resource variables); to its own tower's.
    const assigns = isAssign ? [node] : node.controls.flatMap((name) => this.#assignsBefore(name));
    for (const assign of assigns) {
      if (this.#variables.ofHandle(assign.inputs[0]!)?.node !== between.node) continue;
      const statistic = this.#statisticOf(between, assign);
      if (statistic && this.#variables.readBy(statistic) === undefined) {
        if (!via.includes(between.node)) via.push(between.node);
        return statistic;
      }
    }
    return undefined;
  }

  /** Whether a tensor depends on what the net is fed, not only on constants, shapes and weights. */
  #isData(ref: TensorRef, seen = new Set<string>()): boolean {
    const key = refText(ref);
    if (seen.has(key)) return false;
    seen.add(key);
    const node = this.#graph.find(ref.node);
    if (!node || SHAPE_FACTS.has(node.op)) return false;
    const variable =
      node.op in ASSIGN_KINDS && node.inputs[0]
        ? this.#variables.ofHandle(node.inputs[0])
        : this.#variables.readBy(ref);
    if (variable) return this.#variableFollowsData(variable);
    if (RESTORES.has(node.op)) return false;
    // A placeholder may be a decay; the mean of one is a statistic.
    if (node.op === 'Mean') return this.#activations.has(node);
    if (this.#isTransparent(node)) return operands(node).some((input) => this.#isData(input, seen));
    // Noise by itself is how variables begin; what weights alone make (spectral norms) is no statistic.
    return !NOISE.test(node.op) && this.#activations.has(node);
  }

  #variableFollowsData(variable: Variable): boolean {
    if (this.#followsData.has(variable.node)) return this.#followsData.get(variable.node) ?? false;
    this.#followsData.set(variable.node, undefined);
    const assigns = this.targets.get(variable.node)?.assigns ?? [];
    const follows = assigns.some((assign) => this.#isData(assign.inputs[1]!));
    this.#followsData.set(variable.node, follows);
    return follows;
  }
}

const NOISE = /^(Stateless)?(Random|TruncatedNormal)/;
const RESTORES: ReadonlySet<string> = new Set(['RestoreV2', 'Restore', 'RestoreSlice']);

/** Whether a variable is its statistic up to a constant factor (Bessel's correction, debiasing): no root, no square. */
function isProportional(limit: (x: number) => number): boolean {
  const [a, b, c] = [limit(0.8) / 0.8, limit(1.7) / 1.7, limit(3.1) / 3.1];
  const close = (x: number, y: number) => Math.abs(x - y) <= 1e-6 * Math.abs(y);
  return Number.isFinite(a) && a! !== 0 && close(a!, b!) && close(b!, c!);
}

/** The inputs that carry values: of ops that change shapes, input 0 alone. */
function operands(node: Node): readonly TensorRef[] {
  return node.op in ARITHMETIC ? node.inputs : node.inputs.slice(0, 1);
}
