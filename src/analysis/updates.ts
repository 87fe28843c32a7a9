import type { Graph, Node, TensorRef } from '../graph/graph.js';
import { refText, sameRef } from '../graph/graph.js';
import { ARITHMETIC, evaluate, MAX_EXPRESSION, SHAPE_OPS } from './scalars.js';
import type { Variable, Variables } from './variables.js';

/** A moving average: `variable` follows the tensor `statistic`, as its own update op proves. */
export interface MovingAverage {
  readonly variable: Variable;
  readonly statistic: TensorRef;
  /** The op that assigns. */
  readonly assign: string;
  /** Node names from the statistic to the assign op. */
  readonly path: readonly string[];
  /** Variables that lie between (zero debias, renorm). */
  readonly via: readonly string[];
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
export function findMovingAverages(graph: Graph, variables: Variables): MovingAverages {
  const finder = new Finder(graph, variables);
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
  for (const [key, list] of found) found.set(key, finalOnes(list));
  return found;
}

/** Drops the variables that only carry a statistic to another one. */
function finalOnes(averages: readonly MovingAverage[]): MovingAverage[] {
  const between = new Set(averages.flatMap((average) => average.via));
  const final = averages.filter((average) => !between.has(average.variable.node));
  const seen = new Set<string>();
  return final.filter(({ variable }) => !seen.has(variable.node) && seen.add(variable.node));
}

interface Target {
  readonly variable: Variable;
  readonly assigns: Node[];
}

class Finder {
  readonly targets = new Map<string, Target>();
  readonly #graph: Graph;
  readonly #variables: Variables;
  /** Whether a variable follows data (not only constants), by node; undefined while it is being found out. */
  readonly #followsData = new Map<string, boolean | undefined>();

  constructor(graph: Graph, variables: Variables) {
    this.#graph = graph;
    this.#variables = variables;
    for (const node of graph.nodes()) {
      if (!(node.op in ASSIGN_KINDS) || !node.inputs[0] || !node.inputs[1]) continue;
      const variable = variables.ofHandle(node.inputs[0]);
      if (!variable) continue;
      const target = this.targets.get(variable.node);
      if (target) target.assigns.push(node);
      else this.targets.set(variable.node, { variable, assigns: [node] });
    }
  }

  /** The tensors along the chain that the assign op makes its variable follow, nearest first. */
  averages(variable: Variable, assign: Node): MovingAverage[] {
    const statistic = this.#statisticOf(variable, assign);
    if (!statistic) return [];
    const path = [assign.name];
    const via: string[] = [];
    const averages: MovingAverage[] = [];
    let at: TensorRef | undefined = statistic;
    while (at && path.length < MAX_EXPRESSION) {
      averages.push({ variable, statistic: at, assign: assign.name, path: [...path].reverse(), via: [...via] });
      path.push(at.node);
      at = this.#upstream(at, variable, via);
    }
    // Hops through other variables are known only at the end: every tensor beyond them carries them already.
    return averages;
  }

  /** The tensor s for which the assignment leaves the variable alone once variable == s: what it is an average of. */
  #statisticOf(variable: Variable, assign: Node): TensorRef | undefined {
    const isOwn = (ref: TensorRef) => this.#variables.readBy(ref)?.node === variable.node;
    const queue: TensorRef[] = [assign.inputs[1]!];
    const seen = new Set<string>();
    for (const ref of queue) {
      const key = refText(ref);
      if (seen.has(key) || seen.size > MAX_EXPRESSION) continue;
      seen.add(key);
      if (isOwn(ref)) continue;
      const node = this.#graph.find(ref.node);
      if (!node) continue;
      if (this.#isData(ref) && !this.#contains(ref, isOwn) && this.#isFixedPoint(assign, ref, isOwn)) return ref;
      if (this.#isTransparent(node)) queue.push(...operands(node));
    }
    return undefined;
  }

  #isTransparent(node: Node): boolean {
    return node.op in ARITHMETIC || SHAPE_OPS.has(node.op);
  }

  #isFixedPoint(assign: Node, statistic: TensorRef, isOwn: (ref: TensorRef) => boolean): boolean {
    const after = (own: number, observed: number): number => {
      const value = evaluate(this.#graph, assign.inputs[1]!, (ref) =>
        sameRef(ref, statistic) ? observed : isOwn(ref) ? own : undefined,
      );
      const kind = ASSIGN_KINDS[assign.op]!;
      return kind === 'set' ? value : kind === 'add' ? own + value : own - value;
    };
    const close = (a: number, b: number) => Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(b));
    // Fixed at two points, and it does move towards the statistic elsewhere.
    const moved = after(1, 3) - 1;
    return close(after(2.5, 2.5), 2.5) && close(after(0.75, 0.75), 0.75) && Math.abs(moved) > 1e-9;
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
  #upstream(ref: TensorRef, own: Variable, via: string[]): TensorRef | undefined {
    const node = this.#graph.find(ref.node);
    if (!node) return undefined;
    const hop = this.#hop(ref, node, own, via);
    if (hop) return hop;
    if (SHAPE_OPS.has(node.op)) return node.op === 'Mean' && !this.#isAverage(node) ? undefined : node.inputs[0];
    if (!(node.op in ARITHMETIC)) return undefined;
    const data = node.inputs.filter((input) => this.#isData(input));
    return data.length === 1 ? data[0] : undefined;
  }

  /** A Mean of a statistic (virtual batches), not the Mean that makes it. */
  #isAverage(mean: Node): boolean {
    const input = this.#graph.inputNode(mean, 0);
    return input !== undefined && (input.op === 'Mean' || input.op === 'Squeeze');
  }

  /**
   * From the freshly assigned value of another moving average to what that one follows. A plain read of it, not bound to
   * its update, is no such value: a shadow of weights reads like that.
   */
  #hop(ref: TensorRef, node: Node, own: Variable, via: string[]): TensorRef | undefined {
    let between: Variable | undefined;
    if (node.op in ASSIGN_KINDS && node.inputs[0]) between = this.#variables.ofHandle(node.inputs[0]);
    else {
      const read = this.#variables.readBy(ref);
      const assigns = (read && this.targets.get(read.node)?.assigns) ?? [];
      const bound = assigns.some((assign) => node.controls.includes(assign.name));
      if (read && bound) between = read;
    }
    if (!between || between.node === own.node || via.includes(between.node)) return undefined;
    if (own.node.startsWith(`${between.node}/`)) return undefined;
    for (const assign of this.targets.get(between.node)?.assigns ?? []) {
      const statistic = this.#statisticOf(between, assign);
      if (statistic && this.#variables.readBy(statistic) === undefined) {
        via.push(between.node);
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
    if (this.#isTransparent(node)) return operands(node).some((input) => this.#isData(input, seen));
    return true;
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

const RESTORES: ReadonlySet<string> = new Set(['RestoreV2', 'Restore', 'RestoreSlice']);

/** The inputs that carry values: of ops that change shapes, input 0 alone. */
function operands(node: Node): readonly TensorRef[] {
  return node.op in ARITHMETIC ? node.inputs : node.inputs.slice(0, 1);
}
