import { attrInt, attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { roundTo } from '../../graph/rounding.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, isIdentity, MAX_ARGUMENTS, sameAs, scalarOf } from '../../ops/meaning.js';
import { constantScalar, constantValue, type Pins } from './constants.js';
import { Shapes } from './shapes.js';

/**
 * What follows from the values of flags by arithmetic: tensors whose elements all have one known value, and nodes that
 * output one of their inputs. A flag may be cast and multiplied (`f * batch + (1 - f) * moving`), tiled into the condition of
 * a Select, or be an index (`stack([moving, batch])[f]`).
 *
 * Assumes: what is multiplied by 0 is finite.
 */
export class PinnedValues {
  readonly #graph: Graph;
  readonly #known = new Map<string, number>();
  readonly #found: TensorRef[] = [];
  readonly #base: PinnedValues | undefined;

  /** @param base - what follows from earlier pins */
  constructor(graph: Graph, pins: Pins, base?: PinnedValues) {
    this.#graph = graph;
    this.#base = base;
    this.#spread(pins);
  }

  /** The tensors whose value is known, without those of the base. */
  get found(): readonly TensorRef[] {
    return this.#found;
  }

  /** Takes over what follows from further pins. */
  learn(more: PinnedValues): void {
    for (const [key, value] of more.#known) this.#known.set(key, value);
  }

  /** The value of all elements of a tensor that depends on a flag; undefined if unknown, or if no flag determines it. */
  of(ref: TensorRef): number | undefined {
    // Most graphs have no flags, and every node is asked for.
    return (this.#known.size > 0 ? this.#known.get(refText(ref)) : undefined) ?? this.#base?.of(ref);
  }

  /** The tensor that a node outputs since flags are known: `moving` for `0 * batch + moving`; undefined if it computes another. */
  forwarded(node: Node): TensorRef | undefined {
    if (this.#isEmpty) return undefined;
    if (multiplies(node)) return this.#onlyOther(node, 1);
    if (adds(node)) return this.#onlyOther(node, 0) ?? this.#interpolated(node);
    if (subtracts(node)) return this.#subtracted(node);
    return gathers(node) || slices(node) ? this.#unstacked(node) : undefined;
  }

  get #isEmpty(): boolean {
    return this.#known.size === 0 && (this.#base === undefined || this.#base.#isEmpty);
  }

  /** Walks forwards from the flags as long as values are known. */
  #spread(pins: Pins): void {
    const graph = this.#graph;
    const waiting: Node[] = [];
    const learn = (ref: TensorRef, value: number) => {
      const key = refText(ref);
      if (this.of(ref) !== undefined) return;
      this.#found.push(ref);
      this.#known.set(key, value);
      for (const consumer of graph.consumers(ref)) waiting.push(consumer);
    };
    for (const [node, value] of pins) learn({ node, port: 0 }, value);
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      const value = this.#compute(node);
      if (value === undefined || Number.isNaN(value)) continue;
      for (const port of graph.usedPorts(node.name)) learn({ node: node.name, port }, value);
    }
  }

  #compute(node: Node): number | undefined {
    const { inputs } = node;
    if (keepsValue(node)) return this.of(inputs[0]!);
    if (fills(node)) return this.of(inputs[1]!);
    if (stacks(node)) return this.#commonOf(inputs);
    if (casts(node)) {
      const value = this.of(inputs[0]!);
      const type = attrType(node, 'DstT');
      return value === undefined ? undefined : type === DataType.DT_BOOL ? Number(value !== 0) : roundTo(type)(value);
    }
    const scalar = scalarOf(node.op);
    if (!scalar || inputs.length > MAX_ARGUMENTS) return undefined;
    const values = inputs.map((ref) => this.of(ref) ?? uniformConstant(this.#graph, ref) ?? Number.NaN);
    if (multiplies(node) && values.includes(0)) return 0;
    return roundTo(attrType(node, 'T'))(scalar(...values));
  }

  /** The single input of a sum or product of which all other inputs have no effect. */
  #onlyOther({ inputs }: Node, neutral: number): TensorRef | undefined {
    const others = inputs.filter((ref) => this.of(ref) !== neutral);
    return others.length === 1 && inputs.length > 1 ? others[0] : undefined;
  }

  /** The first operand of a difference if the second is 0; `b - 1 * (b - a)` is `a`. */
  #subtracted({ inputs: [a, b] }: Node): TensorRef | undefined {
    if (this.of(b!) === 0) return a;
    const taken = this.#asDifference(b!);
    return taken && this.#isSame(taken[0]!, a!) ? taken[1] : undefined;
  }

  /** `b + 1 * (a - b)` is `a`. */
  #interpolated({ inputs }: Node): TensorRef | undefined {
    const [a, b] = inputs;
    // AddN may have any number of inputs.
    if (!a || !b || inputs.length > 2) return undefined;
    for (const [from, step] of [
      [a, b],
      [b, a],
    ] as const) {
      const taken = this.#asDifference(step);
      if (taken && this.#isSame(taken[1]!, from)) return taken[0];
    }
    return undefined;
  }

  /** The operands of a difference that a flag multiplies by 1. */
  #asDifference(ref: TensorRef): readonly TensorRef[] | undefined {
    const product = this.#graph.find(ref.node);
    const factor = product && multiplies(product) ? this.#onlyOther(product, 1) : undefined;
    const difference = factor && this.#graph.find(factor.node);
    return difference && subtracts(difference) ? difference.inputs : undefined;
  }

  #isSame(a: TensorRef, b: TensorRef): boolean {
    const [x, y] = [a, b].map((ref) => sourceOf(this.#graph, ref, readsSame));
    return refText(x!) === refText(y!);
  }

  /** The tensor that a known index takes out of a stack. */
  #unstacked(node: Node): TensorRef | undefined {
    const [from, index] = node.inputs;
    const stack = from && this.#graph.find(sourceOf(this.#graph, from, isIdentity).node);
    if (!stack || !stacks(stack) || (attrInt(stack, 'axis') ?? 0) !== 0 || !index) return undefined;
    if (gathers(node) ? !isAlongFirst(this.#graph, node) : !takesOneOfFirst(node)) return undefined;
    const at = this.of(index);
    const entry = at === undefined ? undefined : stack.inputs[at < 0 ? at + stack.inputs.length : at];
    return entry && this.#isWhole(node, entry, index) ? entry : undefined;
  }

  /** Whether an index, one number, takes a whole entry of a stack: a list of them takes several, or a part of one. */
  #isWhole(node: Node, entry: TensorRef, index: TensorRef): boolean {
    const shapes = new Shapes(this.#graph);
    const [result, whole] = [shapes.of({ node: node.name, port: 0 }), shapes.of(entry)];
    if (result && whole && result.length !== whole.length) return false;
    return gathers(node) || (shapes.of(index)?.[0] ?? 1) === 1;
  }

  /** The value that all of some tensors have. */
  #commonOf(refs: readonly TensorRef[]): number | undefined {
    const [first, ...others] = refs.map((ref) => this.of(ref));
    return others.every((value) => value === first) ? first : undefined;
  }
}

const keepsValue = anyOf(
  'identity',
  'switch',
  'enter',
  'read',
  'reshape',
  'tile',
  'broadcast',
  'transpose',
  'gradient_barrier',
);
/** Two reads of a variable are taken for the same value. */
const readsSame = anyOf('identity', 'read');
const fills = anyOf('fill');
const casts = anyOf('cast');
const multiplies = anyOf('multiply');
const adds = anyOf('add');
const subtracts = sameAs('Sub');
const gathers = anyOf('gather');
const slices = anyOf('slice');
const stacks = anyOf('pack');

/** The value of a constant whose elements are all equal. */
function uniformConstant(graph: Graph, ref: TensorRef): number | undefined {
  const filled = graph.find(sourceOf(graph, ref, isIdentity).node);
  if (filled && fills(filled)) return constantScalar(graph, filled.inputs[1]);
  const values = constantValue(graph, ref)?.values;
  return values?.every((value) => value === values[0]) ? values[0] : undefined;
}

/** Whether a gather takes along the first axis. */
function isAlongFirst(graph: Graph, node: Node): boolean {
  if ((attrInt(node, 'batch_dims') ?? 0) !== 0) return false;
  return node.inputs[2] === undefined || constantScalar(graph, node.inputs[2]) === 0;
}

/** Whether a StridedSlice takes one entry of the first axis and drops that axis. */
function takesOneOfFirst(node: Node): boolean {
  const masks = ['begin_mask', 'ellipsis_mask', 'new_axis_mask'].map((key) => attrInt(node, key) ?? 0);
  return attrInt(node, 'shrink_axis_mask') === 1 && masks.every((mask) => mask === 0);
}
