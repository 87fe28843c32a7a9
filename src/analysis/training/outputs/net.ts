import { attrType } from '../../../graph/attrs.js';
import { DataType, isFloat } from '../../../graph/dtype.js';
import type { Graph } from '../../../graph/graph.js';
import { type Node, refText } from '../../../graph/node.js';
import { NodeSet } from '../../../graph/node_set.js';
import { elementCount } from '../../../graph/tensor.js';
import { spread, topologicalOrder } from '../../../graph/walk.js';
import { Frames } from '../../../ops/frames.js';
import { anyOf, isMerge, isSwitch, readsShape } from '../../../ops/meaning.js';
import { outputType } from '../../../ops/registry.js';
import { isVariable } from '../../state/variables.js';
import { Shapes } from '../../values/shapes.js';
import { isActivationSource, mayBeActivation } from '../activations.js';
import { BatchAxes } from './batch_axis.js';
import { findGradients } from './gradient_nodes.js';
import { findLabels } from './labels.js';

const hasEffect = anyOf('effect', 'summary');
const isMetricOp = anyOf('metric');
const deliversData = anyOf('placeholder', 'pipeline_end', 'decode');
const isPlaceholder = anyOf('placeholder');
const isConstant = anyOf('constant');
const isRandom = anyOf('random');
const isGather = anyOf('gather', 'gather_variable');
const updates = anyOf('assign', 'update');
const combinesWithConstant = anyOf(
  'weighted',
  'fused_batch_norm',
  'gather',
  'bias',
  'multiply',
  'divide',
  'add',
  'subtract',
);
const joins = anyOf('add', 'concat');
const isSelect = anyOf('select');

const GRADIENT_OF = /^(?:.*\/)?gradients(?:_\d+)?\/(.+)_grad\//;
/** The gradient of the outputs, as tf.gradients(ys, xs, grad_ys) names it. */
const GIVEN_GRADIENT = /\/grad_ys_\d+$/;

/**
 * What each node of a training graph is, as far as its inputs determine it: `data` depends on what is fed, `net` on data and on
 * weights, `raw` on data alone. `scored` nodes compare the net with a label, or are computed from such a comparison.
 */
export class Net {
  readonly graph: Graph;
  readonly order: readonly Node[];
  readonly batch: BatchAxes;
  /** Nodes that depend on data or on random ops. */
  readonly data: NodeSet;
  /** Nodes that depend on data that is fed, but for flags. */
  readonly fed: NodeSet;
  /** Nodes that depend on a weight. */
  readonly weights: NodeSet;
  /** Nodes that depend on data and on weights. */
  readonly net: NodeSet;
  /** Nodes that tf.gradients created. */
  readonly gradients: NodeSet;
  /** Nodes with side effects. */
  readonly effects: NodeSet;
  /** Nodes inside of v1 loops. */
  readonly looped: NodeSet;
  /** Nodes that depend on a comparison of the net with a label. */
  readonly scored: NodeSet;
  /** Nodes that depend on labels alone. */
  readonly labelled: NodeSet;
  /** Nodes that a gradient which trains a variable flows through; empty if the graph has no gradients. */
  readonly trained: NodeSet;
  /** Ops whose gradient is fed. */
  readonly givenGradient: NodeSet;
  readonly #sources: NodeSet;
  readonly #hasVariables: boolean;
  /** Rows of weights that labels pick: they are compared with the net, as a label is. */
  readonly #ofLabels: NodeSet;

  /** @param targets - what losses compare the net with, if a first look has found that */
  constructor(graph: Graph, targets: readonly Node[] = []) {
    this.graph = graph;
    this.order = topologicalOrder(graph);
    this.gradients = new NodeSet(graph, findGradients(this.order));
    this.effects = new NodeSet(
      graph,
      this.order.filter((node) => hasEffect(node) || (isMerge(node) && graph.inputNodes(node).some(hasEffect))),
    );
    const sources = this.order.filter((node) => this.#deliversData(node));
    this.looped = loopedNodes(graph, this.order, sources);
    // Data may also come from a custom op.
    this.#sources = new NodeSet(graph, sources.length > 0 ? sources : this.order.filter(isAnySource));
    this.fed = spread(graph, (node, found) => {
      if (this.effects.has(node) || readsShape(node)) return false;
      return this.#sources.has(node) || graph.inputNodes(node).some((input) => found.has(input));
    });
    this.data = spread(
      graph,
      (node, found) =>
        this.fed.has(node) ||
        isRandom(node) ||
        (!readsShape(node) && graph.inputNodes(node).some((input) => found.has(input))),
    );
    this.batch = new BatchAxes(graph, this.data, this.looped);
    this.#hasVariables = this.order.some(isWeight);
    this.weights = spread(graph, (node, found) => {
      if (this.effects.has(node) || readsShape(node)) return false;
      return (
        (this.#hasVariables ? isWeight(node) : isArray(node)) ||
        graph.inputNodes(node).some((input) => found.has(input))
      );
    });
    this.#ofLabels = new NodeSet(graph, targets.length > 0 ? this.rowsOfLabels(targets) : []);
    this.net = spread(graph, (node, found) => {
      if (!this.data.has(node) || this.effects.has(node) || readsShape(node)) return false;
      if (graph.inputNodes(node).some((input) => found.has(input))) return true;
      // A random tensor is the latent input of a generator where a layer takes it; a variable is initialised with another.
      return (this.fed.has(node) || combinesWithConstant(node)) && this.bringsWeights(node, found);
    });
    [this.labelled, this.scored] = this.#findScored();
    this.givenGradient = new NodeSet(graph);
    this.trained = this.#findTrained();
  }

  /** Whether a node combines data with a weight, which is one of its inputs. */
  bringsWeights(node: Node, net = this.net): boolean {
    if (this.#ofLabels.has(node)) return false;
    if (!this.#hasVariables && !combinesWithConstant(node)) return false;
    return this.graph.inputNodes(node).some((input) => this.isWeightInput(input, net));
  }

  /** The ops that pick rows of weights by nothing but what losses compare the net with: centres of classes, rows of a softmax. */
  rowsOfLabels(targets: readonly Node[]): Node[] {
    const others = this.otherData(targets);
    if (others.size === 0) return [];
    return this.order.filter((node) => {
      if (!isGather(node) || this.effects.has(node) || !this.fed.has(node) || others.has(node)) return false;
      return this.graph.inputNodes(node).some((input) => this.isWeightInput(input));
    });
  }

  /** What losses compare the net with, and the data that it is computed from. */
  comparedData(targets: readonly Node[]): NodeSet {
    const compared = new NodeSet(this.graph, targets);
    for (const node of compared) {
      for (const input of this.graph.inputNodes(node)) if (this.fed.has(input)) compared.add(input);
    }
    return compared;
  }

  /** Nodes that depend on data other than what losses compare the net with. */
  otherData(targets: readonly Node[]): NodeSet {
    const { graph } = this;
    const compared = this.comparedData(targets);
    const others = new NodeSet(graph);
    for (const node of this.order) {
      if (!this.fed.has(node) || this.effects.has(node)) continue;
      const inputs = graph.inputNodes(node);
      const isSource = inputs.every((input) => !this.fed.has(input));
      if (isSource ? !compared.has(node) : inputs.some((input) => others.has(input))) others.add(node);
    }
    return others;
  }

  /** Whether an input is a weight, or computed from weights alone. */
  isWeightInput(input: Node | undefined, net = this.net): boolean {
    return this.weights.has(input) && !this.fed.has(input) && !net?.has(input);
  }

  /** Whether a node is a tensor of the net that belongs to no loss or metric. */
  isOfNet(node: Node | undefined): node is Node {
    return node !== undefined && this.net.has(node) && !this.scored.has(node) && !this.gradients.has(node);
  }

  /** Whether a node depends on fed data and on no weight: an input, a label, or what is computed from them. */
  isRaw(node: Node | undefined): boolean {
    return this.fed.has(node) && !this.net.has(node);
  }

  #deliversData(node: Node): boolean {
    if (!deliversData(node)) return false;
    if (outputType(node, 0) === DataType.DT_BOOL && isPlaceholder(node)) return false;
    return !(isPlaceholder(node) && new Shapes(this.graph).of({ node: node.name, port: 0 })?.length === 0);
  }

  #findScored(): [labelled: NodeSet, scored: NodeSet] {
    const { graph } = this;
    const labels = findLabels(this, this.#sources);
    const scored = new NodeSet(graph);
    const labelled = new NodeSet(graph);
    for (const node of this.order) {
      if (this.effects.has(node) || readsShape(node)) continue;
      const inputs = graph.inputNodes(node);
      const fromNet = inputs.some((input) => this.net.has(input));
      const fromLabel =
        inputs.some((input) => labelled.has(input)) ||
        (labels.size > 0 && node.inputs.some((ref) => labels.has(refText(ref))));
      if (fromLabel && !fromNet) labelled.add(node);
      // An input that is added or concatenated to the net is a skip connection, not a label.
      const compared = fromLabel && fromNet && !joins(node);
      const isMetric = isMetricOp(node) && fromNet && inputs.some((input) => this.isRaw(input));
      const inherits = inputs.some((input, i) => isValue(node, i) && scored.has(input));
      if (compared || isMetric || inherits) scored.add(node);
    }
    return [labelled, scored];
  }

  /** Whether a gradient node of an op reads data that the op does not: the gradient is fed, as that of an actor is. */
  #isGivenGradient(node: Node, op: Node): boolean {
    const own = this.graph.inputNodes(op);
    return this.graph.inputNodes(node).some((input) => {
      if (!input || !this.isRaw(input) || own.includes(input)) return false;
      return !this.gradients.has(input) || GIVEN_GRADIENT.test(input.name);
    });
  }

  /** The ops whose gradients end in the update of a variable. TensorFlow names the nodes of a gradient after the op. */
  #findTrained(): NodeSet {
    const trained = new NodeSet(this.graph);
    const used = new NodeSet(this.graph);
    for (const node of [...this.order].reverse()) {
      const isUsed = this.graph.dataConsumers(node.name).some((each) => used.has(each) || updates(each));
      if (!isUsed) continue;
      used.add(node);
      const of = this.gradients.has(node) ? GRADIENT_OF.exec(node.name)?.[1] : undefined;
      const op = of === undefined ? undefined : this.graph.find(of);
      if (!op) continue;
      trained.add(op);
      if (this.#isGivenGradient(node, op)) this.givenGradient.add(op);
    }
    return trained;
  }
}

/** Nodes in loops, other than those that read data in each iteration: these are training loops, around a whole net. */
function loopedNodes(graph: Graph, order: readonly Node[], sources: readonly Node[]): NodeSet {
  const frames = new Frames(graph);
  const training = new Set(sources.flatMap(({ name }) => [...frames.of(name)]));
  return new NodeSet(
    graph,
    order.filter(({ name }) => frames.of(name).some((frame) => !training.has(frame))),
  );
}

/** Any source of data but random ops. */
function isAnySource(node: Node): boolean {
  return mayBeActivation(node) && isActivationSource(node) && !isRandom(node);
}

/** Whether a node is a variable that may be a weight: of floats. */
function isWeight(node: Node): boolean {
  return isVariable(node) && isFloat(attrType(node, 'dtype'));
}

/** Whether a node is a constant that may have been a weight. */
function isArray(node: Node): boolean {
  const { tensor } = node;
  if (!isConstant(node) || !tensor) return false;
  return isFloat(tensor.dtype) && tensor.shape.length > 0 && elementCount(tensor.shape) > 0;
}

/** Whether the value of an input becomes part of the output; that of a condition does not. */
function isValue(node: Node, index: number): boolean {
  if (isSwitch(node)) return index === 0;
  return index > 0 || !isSelect(node);
}
