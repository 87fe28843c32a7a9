import type { Graph } from '../../graph/graph.js';
import { memoizeByVersion } from '../../graph/memo.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { MAX_RANK } from '../../graph/tensor.js';
import { hasLoops, sourceOf, topologicalOrder } from '../../graph/walk.js';
import { anyOf, isMerge, isShapeQuery, meaningOf } from '../../ops/meaning.js';
import { queriedShape } from '../../ops/queried_shape.js';
import { eitherShape, isNextIteration } from '../../ops/shape_rules/elementwise.js';
import type { PortShapes, Shape, ShapeContext } from '../../ops/shape_rules/rule.js';
import type { ConstantValue } from '../../ops/value_rules.js';
import { constantValue, Known, workedOut } from './constants.js';

export type { Shape } from '../../ops/shape_rules/rule.js';

/**
 * Static shapes of a graph, inferred from the ops themselves. The `_output_shapes` that files carry are not trusted:
 * published graphs have ones that contradict the graph. Cached until the graph changes.
 */
export class Shapes {
  readonly #graph: Graph;
  readonly #inferenceOf: (graph: Graph) => Inference;

  /** @param from - whether sizes follow from constants alone, or also from what Shape and similar ops output */
  constructor(graph: Graph, from: 'constants' | 'shapes' = 'constants') {
    this.#graph = graph;
    this.#inferenceOf = from === 'constants' ? inferredFromConstants : inferredFromShapes;
  }

  /** Sizes of a tensor, -1 for an unknown size; undefined for an unknown rank. */
  of(ref: TensorRef): Shape {
    return this.#inferenceOf(this.#graph).of(ref);
  }

  /** What a tensor outputs, as far as constants (and shapes) determine it; NaN for an unknown element. */
  value(ref: TensorRef): ConstantValue | undefined {
    return this.#inferenceOf(this.#graph).value(ref);
  }

  /** The shapes of the inputs of a node if they contradict each other, so that TensorFlow refuses the node. */
  conflict(node: Node): readonly Shape[] | undefined {
    return this.#inferenceOf(this.#graph).conflict(node);
  }
}

const inferredFromConstants = memoizeByVersion(
  (graph: Graph) => new Inference(graph, false),
  (graph) => graph,
);
const inferredFromShapes = memoizeByVersion(
  (graph: Graph) => new Inference(graph, true),
  (graph) => graph,
);

/** Ops that forward a variable itself. */
const forwardsHandle = anyOf('identity', 'enter', 'switch');

/** One inference of shapes: of what is asked for and what feeds it. Rules see it as the context of the current node. */
class Inference implements ShapeContext {
  readonly producer: number;
  readonly #graph: Graph;
  readonly #known = new Map<string, Shape>();
  /** Shapes by port of ops with any number of outputs, by name of the node. */
  readonly #ports = new Map<string, PortShapes>();
  readonly #opened: NodeSet;
  readonly #inferred: NodeSet;
  /** The values of tensors, if they may follow from shapes. */
  #values: Known | undefined;
  #node: Node | undefined;

  // Arrow functions, since rules destructure them from the context.
  readonly shape = (index: number): Shape => {
    const input = this.node.inputs[index];
    return input && this.#knownOf(input);
  };
  readonly constant = (index: number): ConstantValue | undefined => {
    const input = this.node.inputs[index];
    return input && this.#valueOf(input);
  };
  readonly source = (index: number): Node | undefined => this.#graph.inputNode(this.node, index);
  readonly handle = (index: number): Node | undefined => {
    const input = this.node.inputs[index];
    return input && this.#graph.find(sourceOf(this.#graph, input, forwardsHandle).node);
  };

  constructor(graph: Graph, fromShapes: boolean) {
    this.#graph = graph;
    this.#values = fromShapes ? new Known(graph) : undefined;
    this.producer = graph.header.versions?.producer ?? 0;
    this.#opened = new NodeSet(graph);
    this.#inferred = new NodeSet(graph);
    if (hasLoops(graph)) this.#inferLoops();
  }

  of(ref: TensorRef): Shape {
    const node = this.#graph.find(ref.node);
    if (node && !this.#inferred.has(node)) this.#inferUpTo(node);
    return this.#knownOf(ref);
  }

  #knownOf(ref: TensorRef): Shape {
    return this.#known.get(refText(ref)) ?? this.#ports.get(ref.node)?.(ref.port);
  }

  conflict(node: Node): readonly Shape[] | undefined {
    const conflictOf = meaningOf(node.op)?.conflict;
    if (!conflictOf) return undefined;
    const shapes = node.inputs.map((input) => this.of(input));
    this.#node = node;
    const conflict = conflictOf(this);
    return conflict === true ? shapes : conflict || undefined;
  }

  value(ref: TensorRef): ConstantValue | undefined {
    this.of(ref);
    return this.#valueOf(ref);
  }

  #valueOf(ref: TensorRef): ConstantValue | undefined {
    return this.#values ? workedOut(this.#graph, ref, this.#values) : constantValue(this.#graph, ref);
  }

  /** Infers what feeds a node, and then the node. Gradients and savers, half of a training graph, are never asked for. */
  #inferUpTo(last: Node): void {
    const stack = [last];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      const waiting = this.#opened.has(node)
        ? []
        : this.#graph.inputNodes(node).filter((input) => !this.#opened.has(input));
      this.#opened.add(node);
      for (const input of waiting) if (input) stack.push(input);
      if (stack.at(-1) !== node) continue;
      stack.pop();
      if (!this.#inferred.has(node)) this.#infer(node);
      this.#inferred.add(node);
    }
  }

  /** With loops, all shapes at once. */
  #inferLoops(): void {
    const order = topologicalOrder(this.#graph);
    for (const node of order) {
      this.#infer(node);
      this.#inferred.add(node);
    }
    const starts = order.filter((node) => this.#isLoopStart(node));
    // The result of an iteration is the input of the next: repeat until no more sizes become unknown.
    while (starts.filter((node) => !this.#isStable(node)).length > 0) {
      // Values that follow from shapes before are outdated.
      if (this.#values) this.#values = new Known(this.#graph);
      for (const node of order) if (!this.#isLoopStart(node)) this.#infer(node);
    }
  }

  get node(): Node {
    return this.#node!;
  }

  #infer(node: Node): void {
    this.#node = node;
    const result = meaningOf(node.op)?.shape?.(this);
    if (typeof result === 'function') this.#ports.set(node.name, result);
    else if (result === undefined || !isPorts(result)) this.#learn(node.name, result);
    else for (const [port, shape] of result.entries()) this.#learn(refText({ node: node.name, port }), shape);
    if (this.#values && isShapeQuery(node)) this.#learnQueried(node, this.#values);
  }

  /** Shape has one input; ShapeN has several, and an output for each. */
  #learnQueried(node: Node, values: Known): void {
    for (const [port, input] of node.inputs.entries()) {
      const value = queriedShape(node, this.#knownOf(input));
      if (value) values.set(refText({ node: node.name, port }), value);
    }
  }

  #learn(ref: string, shape: Shape): void {
    if (shape === undefined || shape.length > MAX_RANK) this.#known.delete(ref);
    else this.#known.set(ref, shape);
  }

  #isLoopStart(node: Node): boolean {
    return isMerge(node) && this.#graph.inputNodes(node).some(isNextIteration);
  }

  /** Whether an iteration keeps the shape; if not, the sizes that differ become unknown. */
  #isStable(merge: Node): boolean {
    const before = this.#known.get(merge.name);
    const back = this.#graph.inputNodes(merge).findIndex(isNextIteration);
    const after = this.#knownOf(merge.inputs[back]!);
    if (!before) return true;
    const both = after && eitherShape(before, after);
    this.#known.set(merge.name, both);
    return both?.every((size, axis) => size === before[axis]) ?? false;
  }
}

function isPorts(result: readonly number[] | readonly Shape[]): result is readonly Shape[] {
  return result.length > 0 && typeof result[0] !== 'number';
}
