import { attrType } from '../../graph/attrs.js';
import { bytesPerElement, type DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { ENCODERS } from '../../graph/number_codecs.js';
import { isInteger } from '../../graph/rounding.js';
import { numberTensor, type Tensor } from '../../graph/tensor.js';
import { topologicalOrder } from '../../graph/walk.js';
import { anyOf, isIdentity } from '../../ops/meaning.js';
import { outputCount, outputType } from '../../ops/registry.js';
import { constantValue } from './constants.js';

/** A tensor that is computed from constants alone, and its value. */
export interface ConstantExpression {
  readonly ref: TensorRef;
  readonly tensor: Tensor;
}

/** What to change so that a graph computes nothing from constants alone. */
export interface ConstantExpressions {
  /** The tensors that something else reads, or that are outputs: inputs before consumers. */
  readonly values: readonly ConstantExpression[];
  /** Tensors that forward a constant, and that constant. */
  readonly forwarded: readonly { readonly from: TensorRef; readonly to: TensorRef }[];
}

/** What to evaluate. */
export interface EvaluationScope {
  readonly graph: Graph;
  readonly outputs: readonly TensorRef[];
  /** Whether the user wants to keep a node unchanged. */
  readonly isKept: (name: string) => boolean;
  /** Nodes that are not evaluated, and what is computed from them. */
  readonly except?: (node: Node) => boolean;
  /** By how many bytes a value may exceed the constants that it replaces. */
  readonly maxGrowth?: number;
}

const MAX_GROWTH = 8192;
/** By how many times that a graph may grow. */
const MAX_GROWING = 128;

/** Ops with more outputs are not evaluated. */
const MAX_OUTPUTS = 4096;

const isConstant = anyOf('constant');
const isExact = anyOf('exact');
const isExactForIntegers = anyOf('exact', 'exact_integers');

/**
 * Finds what is computed from constants alone. Only ops whose result is known to the last bit are evaluated, and only
 * where the value is small and not much larger than what it replaces: the numbers of large weights are not read. Nodes with
 * control inputs are left alone: these say in which branch or loop they run.
 */
export function findConstantExpressions(scope: EvaluationScope): ConstantExpressions {
  return new Finder(scope).result();
}

class Finder {
  readonly #graph: Graph;
  readonly #outputs: ReadonlySet<string>;
  readonly #scope: EvaluationScope;
  /** Constants, what forwards them, and what is evaluated. */
  readonly #constant: NodeSet;
  readonly #evaluated: NodeSet;
  /** The constants that nodes forward, by name. */
  readonly #forwarded = new Map<string, TensorRef>();
  /** Bytes of the constants that an evaluated node replaces, until they are counted for one of its readers. */
  readonly #replaced = new Map<string, number>();
  readonly #values = new Map<string, ConstantExpression>();
  readonly #stays: NodeSet;
  /** Constants and evaluated nodes that something else reads. */
  readonly #read: NodeSet;
  #growth = 0;

  constructor(scope: EvaluationScope) {
    this.#scope = scope;
    this.#graph = scope.graph;
    this.#outputs = new Set(scope.outputs.map(({ node }) => node));
    this.#constant = new NodeSet(scope.graph);
    this.#evaluated = new NodeSet(scope.graph);
    this.#stays = new NodeSet(scope.graph);
    this.#read = new NodeSet(scope.graph);
  }

  result(): ConstantExpressions {
    const order = topologicalOrder(this.#graph);
    for (const node of order) this.#classify(node);
    const left = order.filter((node) => this.#isLeft(node));
    for (const ref of this.#scope.outputs) this.#read.add(this.#graph.find(this.#source(ref).node));
    for (const node of left) for (const ref of node.inputs) this.#read.add(this.#graph.find(this.#source(ref).node));
    for (const node of this.#evaluated) this.#replaced.set(node.name, this.#bytesReplaced(node));
    for (const node of left) for (const ref of node.inputs) this.#need(this.#source(ref));
    for (const ref of this.#scope.outputs) this.#need(this.#source(ref));
    const rank = new Map(order.map(({ name }, i) => [name, i]));
    const values = [...this.#values.values()].sort((a, b) => rank.get(a.ref.node)! - rank.get(b.ref.node)!);
    const forwarded = [...this.#forwarded].map(([node, to]) => ({ from: { node, port: 0 }, to }));
    return { values, forwarded };
  }

  /** Whether a node remains: it is neither evaluated nor does it only forward a constant. */
  #isLeft(node: Node): boolean {
    return !this.#evaluated.has(node) && !this.#forwarded.has(node.name);
  }

  #classify(node: Node): void {
    if (node.controls.length > 0) return;
    if (isConstant(node)) {
      if (node.tensor) this.#constant.add(node);
      return;
    }
    const { isKept, except } = this.#scope;
    const inputs = this.#graph.inputNodes(node);
    if (inputs.length === 0 || !isExactForIntegers(node) || !inputs.every((input) => this.#constant.has(input))) return;
    if (isKept(node.name)) return;
    if (isIdentity(node)) {
      this.#constant.add(node);
      this.#forwarded.set(node.name, this.#source(node.inputs[0]!));
    } else if (!except?.(node) && this.#canEvaluate(node)) {
      this.#constant.add(node);
      this.#evaluated.add(node);
    }
  }

  /** Whether TensorFlow's result is known for the dtypes of a node, and for its numbers. */
  #canEvaluate(node: Node): boolean {
    const count = outputCount(node);
    if (!count || count > MAX_OUTPUTS) return false;
    const types = Array.from({ length: count }, (_, port) => outputType(node, port)!);
    if (!types.every((type) => ENCODERS[type] !== undefined)) return false;
    if (!isExact(node) && !types.every(isInteger)) return false;
    if (attrType(node, 'T') !== undefined && ENCODERS[attrType(node, 'T')!] === undefined) return false;
    return types.every((_, port) => this.#valueOf({ node: node.name, port }) !== undefined);
  }

  #valueOf(ref: TensorRef) {
    const value = constantValue(this.#graph, ref);
    return value && !value.values.some(Number.isNaN) ? value : undefined;
  }

  /** The constant that a tensor forwards, or the tensor itself. */
  #source(ref: TensorRef): TensorRef {
    return (ref.port === 0 && this.#forwarded.get(ref.node)) || ref;
  }

  /** Bytes of the constants that nothing else needs once a node is evaluated: each is counted for one node. */
  #bytesReplaced(node: Node): number {
    let bytes = 0;
    for (const name of new Set(node.inputs.map((ref) => this.#source(ref).node))) {
      const input = this.#graph.get(name);
      if (!this.#read.has(input)) bytes += this.#replaced.get(name) ?? input.tensor?.byteLength ?? 0;
      this.#replaced.set(name, 0);
    }
    return bytes;
  }

  /** Makes a constant of a tensor that is read; if that would be too large, its node stays, and needs its inputs. */
  #need(needed: TensorRef): void {
    const stack = [needed];
    for (let ref = stack.pop(); ref; ref = stack.pop()) {
      const node = this.#graph.find(ref.node);
      if (!node || !this.#evaluated.has(node) || this.#stays.has(node) || this.#values.has(refText(ref))) continue;
      // A node with several outputs cannot become a constant under its name.
      const isNamed = this.#outputs.has(node.name) && outputCount(node)! > 1;
      if (!isNamed && this.#makeConstant(ref, node, outputType(node, ref.port)!)) continue;
      this.#stays.add(node);
      for (const input of node.inputs) stack.push(this.#source(input));
    }
  }

  #makeConstant(ref: TensorRef, node: Node, dtype: DataType): boolean {
    const { shape, values } = this.#valueOf(ref)!;
    const replaced = this.#replaced.get(node.name) ?? 0;
    const growth = values.length * bytesPerElement(dtype)! - replaced;
    const { maxGrowth = MAX_GROWTH } = this.#scope;
    if (growth > maxGrowth || this.#growth + growth > MAX_GROWING * maxGrowth) return false;
    this.#growth += Math.max(growth, 0);
    this.#values.set(refText(ref), { ref, tensor: numberTensor(dtype, shape, values) });
    return true;
  }
}
