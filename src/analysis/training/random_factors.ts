import { attrShape } from '../../graph/attrs.js';
import { unitRoundoff } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, sameRef, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { anyOf, isShapeQuery, isSwitch, scalarOf } from '../../ops/meaning.js';
import { isVariable } from '../state/variables.js';
import { evaluate, forwardsElement } from '../values/evaluate.js';
import { findActivations, spreadFromSources } from './activations.js';

/** Random ops of a known distribution: uniform on [0, 1), or symmetric around 0. Masks are computed from them. */
export const isMaskSource = anyOf('uniform', 'symmetric');

/** Random ops of other distributions: dropouts do not use them. */
export const isOtherRandomOp = anyOf('random_other');

/** Random numbers in [0, 1). Those of a latent variable are unbounded. */
export const isUniform = anyOf('uniform');

const forwardsFactor = anyOf('identity', 'cast', 'enter', 'reshape');
/** Ops that mix elements: their output is no longer a factor per element. */
const mixesElements = anyOf('pool', 'reduction', 'pad', 'slice', 'tile', 'transpose', 'resize');
const choosesBranch = anyOf('switch', 'merge');
const isFill = anyOf('fill');
const isShapeLike = anyOf('shape_like');
const isPlaceholder = anyOf('placeholder');
const isRead = anyOf('read');
const isMean = anyOf('mean');

/** A tensor that is computed only from one random op and parameters. */
export interface RandomTensor {
  readonly ref: TensorRef;
  /** Its mean; undefined if its elements are mixed. */
  readonly mean: number | undefined;
  /** The largest relative error that its constants have because their dtype rounds them. */
  readonly roundoff: number;
}

/** Number of samples of an expression of a random number. */
const GRID = 64;
/** Maximum number of nodes of an expression. */
const MAX_EXPRESSION = 200;
/** An expression of a random number with at most this many values is a step function. */
const MAX_STEP_VALUES = 4;

/** The tensors that live nodes of a graph compute from random ops. */
export class RandomFactors {
  /** The nodes that depend on inputs; random ops do not. */
  readonly fed: NodeSet;
  readonly #graph: Graph;
  readonly #live: NodeSet;
  readonly #outputs: ReadonlySet<string>;

  /** @param outputs - what the graph outputs */
  constructor(graph: Graph, live: NodeSet, outputs: readonly TensorRef[]) {
    this.#graph = graph;
    this.#live = live;
    this.#outputs = new Set(outputs.map(({ node }) => node));
    const activations = findActivations(graph);
    this.fed = spreadFromSources(graph, (node) => activations.has(node) && !isMaskSource(node));
  }

  /** The output of a random op, and tensors computed only from it. */
  tensorsOf(random: Node): RandomTensor[] {
    const output: TensorRef = { node: random.name, port: 0 };
    const found = new Map<string, RandomTensor>([[random.name, this.#tensor(output, random)]]);
    for (const { ref, mean } of found.values()) {
      for (const node of this.#graph.consumers(ref)) {
        if (!this.#live.has(node) || found.has(node.name)) continue;
        const others = node.inputs.filter((input) => !found.has(input.node));
        const out = { node: node.name, port: 0 };
        const isMixed = mean === undefined || mixesElements(node);
        const isFactor = forwardsFactor(node) || (scalarOf(node.op) && others.every((each) => this.isParameter(each)));
        if (isFactor || mixesElements(node)) {
          found.set(node.name, isMixed ? { ref: out, mean: undefined, roundoff: 0 } : this.#tensor(out, random));
        }
      }
    }
    return [...found.values()];
  }

  #tensor(ref: TensorRef, random: Node): RandomTensor {
    return { ref, mean: this.#meanOf(ref, random), roundoff: this.roundoffOf(ref) };
  }

  /** The largest relative error of the constants that an expression contains, because their dtype rounds them. */
  roundoffOf(ref: TensorRef): number {
    let largest = 0;
    const seen = new Set([ref.node]);
    for (const name of seen) {
      const node = this.#graph.find(name);
      if (!node || isMaskSource(node) || this.fed.has(node) || seen.size > MAX_EXPRESSION) continue;
      if (node.tensor) largest = Math.max(largest, unitRoundoff(node.tensor.dtype));
      for (const input of node.inputs) seen.add(input.node);
    }
    return largest;
  }

  /**
   * The value of a tensor computed from data, parameters and a random op.
   * @param x - the data, which has the value `value`
   * @param u - the number that the random op draws: uniform on [0, 1)
   */
  valueWith(ref: TensorRef, x: TensorRef, value: number, random: Node, u: number): number {
    const output: TensorRef = { node: random.name, port: 0 };
    return evaluate(this.#graph, ref, (leaf) => {
      if (sameRef(leaf, x)) return value;
      return sameRef(leaf, output) ? u : this.#parameterAt(leaf);
    });
  }

  /** Whether a tensor is 0 whatever the random op draws. */
  isZero(ref: TensorRef, random: Node): boolean {
    return [0.001, 0.3, 0.5, 0.7, 0.999].every((u) => this.valueWith(ref, { node: '', port: 0 }, 0, random, u) === 0);
  }

  /** The value of a parameter; an unknown one gets an arbitrary number between 0 and 1, different for each. */
  valueOf(ref: TensorRef): number {
    return evaluate(this.#graph, ref, (leaf) => this.#parameterAt(leaf));
  }

  /**
   * The op that alone uses what a node outputs; undefined if several do, or if the graph outputs it.
   * @param ignored - names of ops that do not count
   */
  soleReader(node: Node, ignored: ReadonlySet<string> = new Set()): Node | undefined {
    if (this.#outputs.has(node.name)) return undefined;
    const readers = this.#graph.dataConsumers(node.name);
    const [reader, ...others] = readers.filter((each) => this.#live.has(each) && !ignored.has(each.name));
    return others.length === 0 ? reader : undefined;
  }

  /** Whether a tensor is a single number, independent of data: constants, placeholders, variables, flags, arithmetic. */
  isParameter(ref: TensorRef): boolean {
    const seen = new Set([ref.node]);
    for (const name of seen) {
      const node = this.#graph.find(name);
      const inputs = node && this.#operandsOfParameter(node);
      if (!inputs) return false;
      for (const input of inputs) seen.add(input.node);
    }
    return true;
  }

  /** The tensors that must be parameters for the node to be one; undefined if it cannot be one. */
  #operandsOfParameter(node: Node): readonly TensorRef[] | undefined {
    if (node.op === 'Const') return node.tensor?.shape.every((size) => size === 1) ? [] : undefined;
    // The same number for every element.
    if (isShapeLike(node)) return [];
    if (isFill(node)) return node.inputs.slice(1, 2);
    if (isPlaceholder(node) || isVariable(node)) {
      const shape = attrShape(node, 'shape');
      return (shape ? shape.every((size) => size === 1) : this.#isUsedAsNumber(node)) ? [] : undefined;
    }
    if (!(isNumberOp(node) || isRead(node)) || node.inputs.length === 0 || isMean(node)) return undefined;
    return isSwitch(node) ? node.inputs.slice(0, 1) : node.inputs;
  }

  /** Whether a tensor is computed only from variables and constants, some with several elements. */
  isWeight(ref: TensorRef): boolean {
    let found = false;
    const seen = new Map([[ref.node, ref]]);
    for (const at of seen.values()) {
      const node = this.#graph.find(at.node);
      if (!node || isMaskSource(node) || isOtherRandomOp(node) || this.fed.has(node)) return false;
      if (isShapeQuery(node)) continue;
      found ||= isVariable(node) || (node.op === 'Const' && !this.isParameter(at));
      for (const input of node.inputs) seen.set(input.node, input);
    }
    return found;
  }

  /** Whether a placeholder without a shape is data is determined by its use: a number is used only in arithmetic. */
  #isUsedAsNumber(node: Node): boolean {
    const consumers = this.#graph.dataConsumers(node.name).filter((each) => this.#live.has(each));
    return consumers.every(isNumberOp);
  }

  /** Mean of an expression over its random number: exact for step functions (their edges are searched) and linear ones. */
  #meanOf(ref: TensorRef, random: Node): number | undefined {
    const output: TensorRef = { node: random.name, port: 0 };
    const at = (u: number) => {
      const known = (leaf: TensorRef) => {
        if (!sameRef(leaf, output)) return this.#parameterAt(leaf);
        return isUniform(random) ? u : symmetric(u);
      };
      return evaluate(this.#graph, ref, known);
    };
    const points = Array.from({ length: GRID + 1 }, (_, i) => Math.min(Math.max(i / GRID, EDGE), 1 - EDGE));
    const values = points.map(at);
    if (!values.every(Number.isFinite)) return undefined;
    const isStep = new Set(values).size <= MAX_STEP_VALUES;
    let mean = 0;
    for (let i = 0; i < GRID; i++) {
      const [a, b] = [values[i]!, values[i + 1]!];
      const [from, to] = [i / GRID, (i + 1) / GRID];
      const edge = isStep && a !== b ? edgeOf(at, a, from, to) : (from + to) / 2;
      mean += a * (edge - from) + b * (to - edge);
    }
    return mean;
  }

  #parameterAt(leaf: TensorRef): number | undefined {
    const node = this.#graph.find(leaf.node);
    if (!node || node.op === 'Const' || isFill(node) || scalarOf(node.op) || forwardsElement(node)) return undefined;
    const source = isRead(node) ? node.inputs[0]!.node : leaf.node;
    let hash = 7;
    for (let i = 0; i < source.length; i++) hash = (hash * 31 + source.charCodeAt(i)) % 100_003;
    // Names that differ in the last letter must not get almost the same number.
    return 0.25 + ((hash * 30_011) % 100_003) / 200_006;
  }
}

const EDGE = 1e-9;

/** Whether an op is elementwise arithmetic, or selects between numbers. */
function isNumberOp(node: Node): boolean {
  return scalarOf(node.op) !== undefined || isFill(node) || forwardsElement(node) || choosesBranch(node);
}

/** The position at which a step function leaves its value at `from`. */
function edgeOf(at: (u: number) => number, value: number, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (at(middle) === value) low = middle;
    else high = middle;
  }
  return low;
}

/** An approximation of the normal quantile function: it only has to be odd around one half. */
function symmetric(u: number): number {
  return Math.log(u / (1 - u)) / 1.702;
}
