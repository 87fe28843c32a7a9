import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, refText } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { sourceOf, spread, topologicalOrder } from '../../graph/walk.js';
import { anyOf, isMerge, isSelect, isShapeQuery, isSwitch } from '../../ops/meaning.js';
import { outputTypes } from '../../ops/registry.js';
import type { Shapes } from '../values/shapes.js';
import { findActivations } from './activations.js';

const hasEffect = anyOf('effect', 'summary');
/** What these make is for training, and so is all that is computed from it. */
const comparesWithLabels = anyOf('loss', 'metric');
/** What comes after weights is the net, what never meets them is a label. */
const hasWeights = anyOf('weighted', 'fused_batch_norm', 'gather', 'gather_variable', 'while', 'tensor_array');
const holdsWeights = anyOf('read', 'ref_variable');
/** A parameter in the shape or type of its place is still that parameter. */
const passesParameter = anyOf('identity', 'reshape', 'cast');
const isScoringStep = anyOf('scoring_step');
/** Ops that only bring a prediction into the shape that a loss op takes. */
const shapesForLoss = anyOf('reshape', 'slice', 'transpose');
const isPlaceholder = anyOf('placeholder');
const deliversData = anyOf('placeholder', 'pipeline_end', 'decode');
const isNeverOutput = anyOf(
  'shape_query',
  'constant',
  'placeholder',
  'pipeline_end',
  'read',
  'identity_n',
  'initialised',
  'gradient',
  'gradient_barrier',
);
const joins = anyOf('add', 'concat');
const isGradientOp = anyOf('gradient');

/** What each node is for, worked out once in one pass forwards and one backwards. */
export class NodeRoles {
  readonly #graph: Graph;
  readonly #shapes: Shapes;
  readonly #order: readonly Node[];
  /** Nodes that tf.gradients made. */
  readonly #gradients: NodeSet;
  /** Nodes that change something, or write it down. */
  readonly #effects: NodeSet;
  /** Tensors that come from data through weights. */
  readonly #net: NodeSet;
  /** Nodes that a label, a loss or a metric has touched. */
  readonly #scored: NodeSet;

  constructor(graph: Graph, shapes: Shapes) {
    this.#graph = graph;
    this.#shapes = shapes;
    this.#order = topologicalOrder(graph);
    this.#gradients = new NodeSet(graph, this.#order.filter(isGradient));
    this.#effects = new NodeSet(
      graph,
      this.#order.filter((node) => this.#isEffect(node)),
    );
    this.#net = this.#findNet();
    this.#scored = this.#findScored();
  }

  /** The nodes of the net that only side effects, labels and losses consume, or nothing does; in graph order. */
  netOutputs(): Node[] {
    const graph = this.#graph;
    /** Nodes of the net that serve nothing but updates and summaries. */
    const onlyForEffects = new NodeSet(graph);
    /** Nodes of the net that serve nothing but losses and metrics. */
    const onlyForLosses = new NodeSet(graph);
    const serves = (node: Node) => onlyForEffects.has(node) || onlyForLosses.has(node);
    const ends: Node[] = [];
    for (const node of [...this.#order].reverse()) {
      if (!this.#isNet(node)) continue;
      const consumers = graph.dataConsumers(node.name).filter((consumer) => !this.#gradients.has(consumer));
      if (consumers.some((consumer) => this.#isNet(consumer) && !serves(consumer))) continue;
      const isScored = consumers.some((consumer) => this.#scored.has(consumer) || onlyForLosses.has(consumer));
      if (consumers.length > 0 && !isScored) onlyForEffects.add(node);
      else if (isScored && isPlumbing(node, consumers) && this.#feedsFromNet(node)) onlyForLosses.add(node);
      else if (!isNeverOutput(node)) ends.push(node);
    }
    return ends.reverse();
  }

  #isNet(node: Node): boolean {
    return this.#net.has(node) && !this.#scored.has(node) && !this.#effects.has(node);
  }

  #isEffect(node: Node): boolean {
    if (this.#gradients.has(node) || hasEffect(node)) return true;
    // The end of a branch that updates a variable.
    return isMerge(node) && this.#graph.inputNodes(node).some(hasEffect);
  }

  /** Whether what a plumbing node prepares is itself a tensor of the net, so that nothing is lost with it. */
  #feedsFromNet(node: Node): boolean {
    return this.#graph.inputNodes(node).some((input) => input && this.#isNet(input) && !isNeverOutput(input));
  }

  /** Data that weights have joined is the net, and so is all that is computed from it. */
  #findNet(): NodeSet {
    const data = findActivations(this.#graph);
    return spread(this.#graph, (node, net) => {
      if (this.#effects.has(node) || isShapeQuery(node)) return false;
      const isOfNet = this.#graph.inputNodes(node).some((input) => net.has(input));
      return isOfNet || (data.has(node) && this.#bringsWeights(node));
    });
  }

  #findScored(): NodeSet {
    const graph = this.#graph;
    const labels = this.#labels();
    const scored = new NodeSet(graph);
    /** Nodes that are computed from labels alone. */
    const labelled = new NodeSet(graph);
    for (const node of this.#order) {
      if (this.#effects.has(node) || isShapeQuery(node)) continue;
      const inputs = graph.inputNodes(node);
      const fromNet = inputs.some((input) => this.#net.has(input));
      const fromLabel =
        inputs.some((input) => labelled.has(input)) ||
        (labels.size > 0 && node.inputs.some((ref) => labels.has(refText(ref))));
      if (fromLabel && !fromNet) labelled.add(node);
      // An input that is added or concatenated to the net is a skip connection, not a label.
      const compared = fromLabel && fromNet && !joins(node);
      // One number for the whole batch is a loss or a metric.
      const scalar = fromNet && this.#shapes.of({ node: node.name, port: 0 })?.length === 0;
      const isLoss = comparesWithLabels(node) && fromNet;
      if (compared || scalar || isLoss || inputs.some((input, i) => isValue(node, i) && scored.has(input))) {
        scored.add(node);
      }
    }
    return scored;
  }

  /** Whether weights join in: by an op that has some, or by a variable's value. */
  #bringsWeights(node: Node): boolean {
    if (hasWeights(node)) return true;
    return node.inputs.some((ref) => {
      const source = this.#graph.find(sourceOf(this.#graph, ref, passesParameter).node);
      return holdsWeights(source);
    });
  }

  /** Tensors of data that never meet weights: labels, targets, masks. Flags and scalars are none of them. */
  #labels(): Set<string> {
    /** Tensors from which weights are reached, worked out backwards; of a node, any of them. */
    const meetingPorts = new Set<string>();
    const meeting = new NodeSet(this.#graph);
    for (const node of [...this.#order].reverse()) {
      if (this.#effects.has(node) || comparesWithLabels(node)) continue;
      if (!meeting.has(node) && !this.#bringsWeights(node)) continue;
      for (const input of this.#graph.inputNodes(node)) meeting.add(input);
      for (const ref of node.inputs) if (ref.port > 0) meetingPorts.add(refText(ref));
    }
    const labels = new Set<string>();
    for (const node of this.#order) {
      if (!isSource(node)) continue;
      const types = outputTypes(node) ?? [];
      for (const port of this.#graph.usedPorts(node.name)) {
        const text = refText({ node: node.name, port });
        if (types[port] === DataType.DT_BOOL || isScalarSource(node)) continue;
        if (port === 0 ? !meeting.has(node) : !meetingPorts.has(text)) labels.add(text);
      }
    }
    return labels;
  }
}

function isPlumbing(node: Node, consumers: readonly Node[]): boolean {
  return isScoringStep(node) || (shapesForLoss(node) && consumers.every(comparesWithLabels));
}

function isSource(node: Node): boolean {
  return deliversData(node);
}

function isScalarSource(node: Node): boolean {
  const shape = node.attr.shape?.shape;
  return shape != null && !shape.unknown_rank && (shape.dim ?? []).length === 0 && isPlaceholder(node);
}

/** Whether the value of an input is part of the output: that of a condition is not. */
function isValue(node: Node, index: number): boolean {
  if (isSwitch(node)) return index === 0;
  return index > 0 || !isSelect(node);
}

/** Nodes that tf.gradients made. */
function isGradient(node: Node): boolean {
  return /(^|\/)gradients(_\d+)?\//.test(node.name) || isGradientOp(node);
}
