import { attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { sourceOf, topologicalOrder } from '../../graph/walk.js';
import { anyOf, hasRole, isIdentity, isSelect, isSwitch } from '../../ops/meaning.js';
import { outputTypes } from '../../ops/registry.js';
import { isStepCounter } from '../state/assignments.js';
import { CONVERGED_STEP } from '../state/steady_state.js';
import { isVariable } from '../state/variables.js';
import { constantScalar, type Pins } from '../values/constants.js';
import type { Shapes } from '../values/shapes.js';
import { ValueNumbering } from '../values/value_numbering.js';
import { isTrainingFused, reducesBatchAxis } from './batch_statistics.js';
import { Branches } from './branches.js';

/** A flag that switches between training and inference, and its value at inference. */
export interface Flag {
  /** The placeholder or variable, or the op that computes a condition. */
  readonly node: string;
  /** At inference; 0 and 1 for false and true. */
  readonly value: number;
  readonly reason: FlagReason;
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
  const order = topologicalOrder(graph);
  const live = new Branches(graph, given, order).needed(outputs);
  const conditions = conditionsOf(graph, live);
  if (conditions.length === 0) return [];
  const finder = new FlagFinder(graph, order, trainingNodes(graph, shapes), outputs, given, read, conditions);
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
}

/** Maximum number of flags that one flag depends on: a batch norm has its flag, its tower, its layer. */
const MAX_OTHERS = 6;

class FlagFinder {
  readonly flags: Flag[] = [];
  readonly #graph: Graph;
  readonly #order: readonly Node[];
  readonly #training: readonly Node[];
  readonly #outputs: readonly TensorRef[];
  readonly #pins: Map<string, number>;
  readonly #read: VariableRead;
  readonly #conditions: readonly TensorRef[];
  readonly #roots: readonly string[];

  constructor(
    graph: Graph,
    order: readonly Node[],
    training: readonly Node[],
    outputs: readonly TensorRef[],
    given: Pins,
    read: VariableRead,
    conditions: readonly TensorRef[],
  ) {
    this.#graph = graph;
    this.#order = order;
    this.#training = training;
    this.#outputs = outputs;
    this.#pins = new Map(given);
    this.#read = read;
    this.#conditions = conditions;
    this.#roots = rootsOf(graph, conditions);
  }

  /** Step counters that delay fake quantisation: it is active at inference. */
  pinCounters(): void {
    for (const counter of this.#roots.filter((name) => isStepCounter(this.#graph, this.#graph.get(name)))) {
      const [early, late] = [0, CONVERGED_STEP].map(
        (value) => [...this.#needed([[counter, value]])].filter((node) => quantizes(node)).length,
      ) as [number, number];
      if (early === late) continue;
      this.#pin([counter], early > late ? 0 : CONVERGED_STEP, { code: 'delays_quantization' });
    }
  }

  /** Placeholders and variables, one by one. */
  pinRoots(): void {
    for (const root of this.#roots) if (!this.#pins.has(root)) this.#decide([root]);
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
    return constantScalar(this.#graph, ref, this.#pins) !== undefined;
  }

  /** Pins nodes that are one flag, if one of its values is certainly inference. */
  #decide(nodes: readonly string[]): void {
    const verdict = this.#compare(nodes, []);
    if (!verdict) return;
    if (!verdict.isSure && !this.#isSureWithOthers(nodes, verdict.value)) return;
    this.#pin(nodes, verdict.value, { code: 'training_ops', count: verdict.count });
  }

  /** Another flag may hide the inference counterpart of training ops: both its values are tried. */
  #isSureWithOthers(nodes: readonly string[], value: number): boolean {
    const others = this.#roots.filter((root) => !nodes.includes(root) && !this.#pins.has(root)).slice(0, MAX_OTHERS);
    return others.some((other) =>
      [0, 1].some((otherValue) => {
        const verdict = this.#compare(nodes, [[other, otherValue]]);
        return verdict?.isSure === true && verdict.value === value;
      }),
    );
  }

  /** Which value of a flag is inference, with some more pins; undefined if both need the same number of training-only ops. */
  #compare(nodes: readonly string[], more: readonly (readonly [string, number])[]): Verdict | undefined {
    const needed = [0, 1].map((value) => this.#needed([...more, ...nodes.map((node) => [node, value] as const)]));
    const [off, on] = needed.map((live) => this.#training.filter((node) => live.has(node)).length) as [number, number];
    if (off === on) return undefined;
    const value = off < on ? 0 : 1;
    const [inference, training] = [needed[value]!, needed[1 - value]!];
    const alone = [...inference].filter((each) => !training.has(each));
    const vanishing = this.#training.filter((each) => training.has(each) && !inference.has(each));
    return { value, count: Math.abs(on - off), isSure: standsInForTraining(alone, vanishing, this.#read) };
  }

  /** The nodes that feed the outputs, with some more pins. */
  #needed(more: readonly (readonly [string, number])[]): NodeSet {
    return new Branches(this.#graph, new Map([...this.#pins, ...more]), this.#order).needed(this.#outputs);
  }

  #pin(nodes: readonly string[], value: number, reason: FlagReason): void {
    for (const node of nodes) {
      this.#pins.set(node, value);
      this.flags.push({ node, value, reason });
    }
  }
}

const quantizes = anyOf('fake_quantize');
const isRandom = anyOf('random');
const isFused = anyOf('fused_batch_norm');
const isAverage = anyOf('average');
const bringsWeights = anyOf('weighted', 'gather', 'gather_variable');
const isPlaceholder = anyOf('placeholder');
/** Ops that forward the value of a condition. */
const forwardsValue = anyOf('identity', 'switch', 'enter', 'cast', 'reshape');
const forwardsCondition = anyOf('identity', 'switch', 'enter', 'cast', 'reshape', 'read');
/** Ops that compute a condition from others. */
const combines = anyOf('logic', 'comparison', 'slice');

/**
 * Whether nodes needed only at inference replace the training ops: for batch statistics, they must read variables that
 * training updates; for random ops, a bypass is enough. Otherwise the flag selects another part of the net.
 */
function standsInForTraining(alone: readonly Node[], vanishing: readonly Node[], read: VariableRead): boolean {
  const reads = alone.map(({ name }) => read(name));
  if (reads.includes('updated')) return true;
  if (alone.some((node) => bringsWeights(node))) return false;
  if (reads.includes('other') || vanishing.every((node) => isRandom(node))) return true;
  return alone.some((node, i) => (node.op === 'Const' && reads[i] === 'frozen') || usesStatistics(node, read));
}

/** Whether a batch norm in inference mode reads moving statistics; one in training mode may read them as well (TF 2). */
function usesStatistics(node: Node, read: VariableRead): boolean {
  return (
    isFused(node) && !isTrainingFused(node) && node.inputs.slice(3, 5).every((ref) => read(ref.node) !== undefined)
  );
}

/** The conditions of Switch and Select ops, each once, except for conditions of loops. */
function conditionsOf(graph: Graph, live: NodeSet): TensorRef[] {
  const found = new Map<string, TensorRef>();
  for (const node of live) {
    const condition = isSwitch(node) ? node.inputs[1] : isSelect(node) ? node.inputs[0] : undefined;
    if (!condition) continue;
    const source = sourceOf(graph, condition, forwardsValue);
    if (graph.find(source.node)?.op !== 'LoopCond') found.set(refText(source), source);
  }
  return [...found.values()];
}

/** Whether a condition depends only on scalar placeholders, variables and constants, not on data or random ops. */
function isMode(graph: Graph, condition: TensorRef): boolean {
  const seen = new Set([condition.node]);
  for (const name of seen) {
    const node = graph.find(name);
    if (!node) return false;
    if (isPlaceholder(node) || isVariable(node)) {
      if (!hasOneElement(node)) return false;
    } else if (node.op !== 'Const' && !forwardsCondition(node) && !combines(node)) return false;
    for (const ref of node.inputs) seen.add(ref.node);
  }
  return true;
}

/** Placeholders and variables from which conditions are computed by logic and comparisons, in file order. */
function rootsOf(graph: Graph, conditions: readonly TensorRef[]): string[] {
  const found = new NodeSet(graph);
  const seen = new NodeSet(
    graph,
    conditions.flatMap(({ node }) => graph.find(node) ?? []),
  );
  for (const node of seen) {
    const isRoot = isPlaceholder(node) || isVariable(node) || hasRole(node, 'assign_add');
    if (isRoot && isScalarNumber(node)) found.add(node);
    else if (forwardsCondition(node) || combines(node)) {
      const inputs = graph.inputNodes(node);
      for (const input of isSwitch(node) ? inputs.slice(0, 1) : inputs) seen.add(input);
    }
  }
  return [...graph.nodes()].filter((node) => found.has(node)).map((node) => node.name);
}

const NUMBERS: ReadonlySet<DataType> = new Set([
  DataType.DT_BOOL,
  DataType.DT_INT32,
  DataType.DT_INT64,
  DataType.DT_UINT8,
  DataType.DT_FLOAT,
]);

function isScalarNumber(node: Node): boolean {
  const type = isVariable(node) ? attrType(node, 'dtype') : outputTypes(node)?.[0];
  return type !== undefined && NUMBERS.has(type) && hasOneElement(node);
}

/** Whether the declared shape of a placeholder or a variable has one element; an undeclared one counts as such. */
function hasOneElement(node: Node): boolean {
  return (node.attr.shape?.shape?.dim ?? []).every((dim) => Number(dim.size) === 1);
}

/** Nodes that only training needs: statistics over the batch dimension, and random ops. */
function trainingNodes(graph: Graph, shapes: Shapes): Node[] {
  return [...graph.nodes()].filter(
    (node) => isTrainingFused(node) || (isAverage(node) && reducesBatchAxis(graph, shapes, node)) || isRandom(node),
  );
}
