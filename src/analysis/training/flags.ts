import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, isIdentity } from '../../ops/meaning.js';
import { isStepCounter } from '../state/assignments.js';
import { CONVERGED_STEP } from '../state/steady_state.js';
import type { Pins } from '../values/constants.js';
import type { Shapes } from '../values/shapes.js';
import { ValueNumbering } from '../values/value_numbering.js';
import { isBatchAxisReduction, isTrainingFused } from './batch_statistics.js';
import { Branches } from './branches.js';
import { conditionsOf, hasMoreThanTwoValues, isMode } from './conditions.js';
import { factorsOf } from './flag_factors.js';
import { FlagNeighbours } from './flag_neighbours.js';
import { LiveNodes } from './live_nodes.js';
import { OwnWeights } from './own_weights.js';

/** A flag that switches between training and inference, and its value at inference. */
export interface Flag {
  /** The placeholder or variable, or the op that computes a condition. */
  readonly node: string;
  /** At inference; 0 and 1 for false and true. */
  readonly value: number;
  readonly reason: FlagReason;
  /** Constants and batch norms that the outputs need with this value only: frozen statistics, and what uses them. */
  readonly selects?: readonly string[];
  /** Batch statistics and random ops that the outputs need with the other value only. */
  readonly disables?: readonly string[];
}

/** Why a value of a flag is inference. */
export type FlagReason =
  /** The user set it. */
  | { readonly code: 'given' }
  /** With the other value, `count` ops that only training needs feed the outputs. */
  | { readonly code: 'training_ops'; readonly count: number }
  /** It is a step counter that delays fake quantisation. */
  | { readonly code: 'delays_quantization' };

/**
 * Whether a node outputs the value of a variable: one that some op updates with data, another one, or one that was
 * frozen to a constant.
 */
export type VariableRead = (name: string) => 'updated' | 'other' | 'frozen' | undefined;

/**
 * Finds the flags that switch training on and off, by their effect: the value for which fewer batch statistics and
 * random ops feed the outputs is inference. A flag without such an effect is part of the model.
 *
 * @param given values that the user has already pinned
 */
export function findFlags(
  graph: Graph,
  shapes: Shapes,
  outputs: readonly TensorRef[],
  given: Pins,
  read: VariableRead,
): Flag[] {
  const branches = new Branches(graph, given);
  const needed = branches.needed(outputs);
  const conditions = conditionsOf(graph, needed);
  const factors = factorsOf(graph, shapes, needed);
  if (conditions.length + factors.length === 0) return [];
  const neighbours = new FlagNeighbours(graph, needed, conditions, factors);
  const live = new LiveNodes(graph, outputs, branches, needed);
  const finder = new FlagFinder(graph, live, neighbours, conditions, trainingNodes(graph, shapes), given, read);
  finder.pinCounters();
  finder.pinRoots();
  finder.pinModes();
  return finder.flags;
}

/** What remains for one value of a flag, and whether it is certainly inference. */
interface Verdict {
  readonly value: number;
  /** How many training-only ops feed the outputs only with the other value. */
  readonly count: number;
  readonly isSure: boolean;
  /** The constants and batch norms among the nodes that only inference needs. */
  readonly selects: readonly string[];
  /** The training-only ops that only training needs. */
  readonly disables: readonly string[];
}

class FlagFinder {
  readonly flags: Flag[] = [];
  readonly #graph: Graph;
  readonly #live: LiveNodes;
  readonly #training: NodeSet;
  /** Of these, some that may still feed the outputs. */
  readonly #open: Node[];
  readonly #read: VariableRead;
  readonly #conditions: readonly TensorRef[];
  readonly #neighbours: FlagNeighbours;
  readonly #pinned: Set<string>;

  constructor(
    graph: Graph,
    live: LiveNodes,
    neighbours: FlagNeighbours,
    conditions: readonly TensorRef[],
    training: NodeSet,
    given: Pins,
    read: VariableRead,
  ) {
    this.#graph = graph;
    this.#live = live;
    this.#training = training;
    this.#open = [...training];
    this.#read = read;
    this.#conditions = conditions;
    this.#neighbours = neighbours;
    this.#pinned = new Set(given.keys());
  }

  /** Step counters that delay fake quantisation: it is active at inference. */
  pinCounters(): void {
    if (![...this.#live.first].some((node) => quantizes(node))) return;
    for (const counter of this.#neighbours.roots.filter((name) => this.#isCounter(name))) {
      const [early, late] = [0, CONVERGED_STEP].map(
        (value) => this.#without([counter], value).filter((node) => quantizes(node)).length,
      ) as [number, number];
      if (early === late) continue;
      this.#pin([counter], early < late ? 0 : CONVERGED_STEP, { code: 'delays_quantization' });
    }
  }

  /**
   * Placeholders and variables, one by one. Step counters and numbers with more than two values (0 to train, 1 to evaluate,
   * 2 to predict) are no flags: only conditions on them are.
   */
  pinRoots(): void {
    const isLive = (node: Node) => this.#live.isLive(node);
    for (const root of this.#neighbours.roots) {
      if (this.#pinned.has(root) || this.#isCounter(root)) continue;
      if (!hasMoreThanTwoValues(this.#graph, root, isLive)) this.#decide([root]);
    }
  }

  #isCounter(name: string): boolean {
    return isStepCounter(this.#graph, this.#graph.get(name));
  }

  /**
   * Conditions that depend on more than one placeholder: a comparison of strings, a computed mode. Each layer may recompute
   * it: conditions that are computed in the same way are one.
   */
  pinModes(): void {
    const modes = new Map<number, Set<string>>();
    const numbering = new ValueNumbering(this.#graph);
    for (const condition of this.#conditions) {
      if (this.#isKnown(condition) || !isMode(this.#graph, condition)) continue;
      const source = sourceOf(this.#graph, condition, isIdentity);
      const mode = numbering.valueNumber(source);
      modes.set(mode, (modes.get(mode) ?? new Set()).add(source.node));
    }
    for (const nodes of modes.values()) {
      const open = [...nodes].filter((node) => !this.#isKnown({ node, port: 0 }));
      if (open.length > 0) this.#decide(open);
    }
  }

  #isKnown(ref: TensorRef): boolean {
    return this.#live.numberAt(ref) !== undefined;
  }

  /** Pins nodes that are one flag, if one of its values is certainly inference. */
  #decide(nodes: readonly string[]): void {
    if (!this.#hasTraining()) return;
    const verdict = this.#compare(nodes, []);
    if (!verdict) return;
    if (!verdict.isSure && !this.#isSureWithOthers(nodes, verdict.value)) return;
    this.#pin(nodes, verdict.value, { code: 'training_ops', count: verdict.count }, verdict);
  }

  /** Whether a training-only op feeds the outputs: otherwise no flag makes a difference. */
  #hasTraining(): boolean {
    for (let last = this.#open.at(-1); last; last = this.#open.at(-1)) {
      if (this.#live.isLive(last)) return true;
      this.#open.pop();
    }
    return false;
  }

  /** Another flag may hide the inference counterpart of training ops: both its values are tried. */
  #isSureWithOthers(nodes: readonly string[], value: number): boolean {
    const others = this.#neighbours.of(nodes, (root) => !nodes.includes(root) && !this.#pinned.has(root));
    return others.some((other) =>
      [0, 1].some((otherValue) => {
        const verdict = this.#compare(nodes, [[other, otherValue]]);
        return verdict?.isSure === true && verdict.value === value;
      }),
    );
  }

  /** Which value of a flag is inference, with some more pins; undefined if both need the same number of training-only ops. */
  #compare(nodes: readonly string[], more: readonly (readonly [string, number])[]): Verdict | undefined {
    const gone = [this.#without(nodes, 0, more), this.#without(nodes, 1, more)] as const;
    const [off, on] = gone.map((each) => each.filter((node) => this.#training.has(node)).length) as [number, number];
    if (off === on) return undefined;
    const value = off > on ? 0 : 1;
    const [inference, training] = [gone[value], gone[1 - value]!].map((each) => new NodeSet(this.#graph, each)) as [
      NodeSet,
      NodeSet,
    ];
    const alone = [...training].filter((each) => !inference.has(each));
    const vanishing = [...inference].filter((each) => this.#training.has(each) && !training.has(each));
    const weights = new OwnWeights(
      this.#graph,
      [...inference].filter((each) => !training.has(each)),
    );
    const isSure = standsInForTraining(alone, vanishing, this.#read, weights);
    const selects = alone.filter((node) => node.op === 'Const' || isFused(node)).map(({ name }) => name);
    return { value, count: Math.abs(on - off), isSure, selects, disables: vanishing.map(({ name }) => name) };
  }

  /** The nodes that no longer feed the outputs if some nodes have a value, with some more pins. */
  #without(
    nodes: readonly string[],
    value: number,
    more: readonly (readonly [string, number])[] = [],
  ): readonly Node[] {
    return this.#live.withoutPinned(new Map([...more, ...nodes.map((node) => [node, value] as const)]));
  }

  #pin(nodes: readonly string[], value: number, reason: FlagReason, of?: Pick<Verdict, 'selects' | 'disables'>): void {
    this.#live.pin(new Map(nodes.map((node) => [node, value])));
    const { selects = [], disables = [] } = of ?? {};
    for (const node of nodes) {
      this.#pinned.add(node);
      this.flags.push({ node, value, reason, selects, disables });
    }
  }
}

const quantizes = anyOf('fake_quantize');
const isRandom = anyOf('random');
const isFused = anyOf('fused_batch_norm');

/**
 * Whether nodes needed only at inference replace the training ops: for batch statistics, they must read variables that
 * training updates; for random ops, a bypass is enough. Otherwise the flag selects another part of the net.
 */
function standsInForTraining(
  alone: readonly Node[],
  vanishing: readonly Node[],
  read: VariableRead,
  weights: OwnWeights,
): boolean {
  const reads = alone.map(({ name }) => read(name));
  if (reads.includes('updated')) return true;
  if (alone.some((node) => weights.isBroughtBy(node))) return false;
  if (reads.includes('other') || vanishing.every((node) => isRandom(node))) return true;
  if (alone.some((node, i) => (node.op === 'Const' && reads[i] === 'frozen') || usesStatistics(node, read)))
    return true;
  return alone.filter(isVector).length > 1 && vanishing.length > 1;
}

/** Whether a node is a constant with a number per channel. */
function isVector({ op, tensor }: Node): boolean {
  return op === 'Const' && tensor?.shape.length === 1 && tensor.dtype !== DataType.DT_STRING && tensor.shape[0]! > 1;
}

/** Whether a batch norm in inference mode reads moving statistics; one in training mode may read them as well (TF 2). */
function usesStatistics(node: Node, read: VariableRead): boolean {
  return (
    isFused(node) && !isTrainingFused(node) && node.inputs.slice(3, 5).every((ref) => read(ref.node) !== undefined)
  );
}

/** Nodes that only training needs: statistics over the batch dimension, and random ops. */
function trainingNodes(graph: Graph, shapes: Shapes): NodeSet {
  const isTraining = (node: Node) =>
    isTrainingFused(node) || isBatchAxisReduction(graph, shapes, node) || isRandom(node);
  return new NodeSet(graph, [...graph.nodes()].filter(isTraining));
}
