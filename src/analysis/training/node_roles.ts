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
/** The outputs of these ops, and everything computed from them, are for training. */
const comparesWithLabels = anyOf('loss', 'metric');
/** Data combined with weights is the net; data that never is, is a label. */
const hasWeights = anyOf('weighted', 'fused_batch_norm', 'gather', 'gather_variable', 'while', 'tensor_array');
const holdsWeights = anyOf('read', 'ref_variable');
/** A parameter that was reshaped or cast is still that parameter. */
const passesParameter = anyOf('identity', 'reshape', 'cast');
const isScoringStep = anyOf('scoring_step');
/** Ops that only convert a prediction to the form that a loss op takes. */
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

/** The purpose of each node, computed once in one forward and one backward pass. */
export class NodeRoles {
  readonly #graph: Graph;
  readonly #shapes: Shapes;
  readonly #order: readonly Node[];
  /** Nodes that tf.gradients created. */
  readonly #gradients: NodeSet;
  /** Nodes with side effects. */
  readonly #effects: NodeSet;
  /** Tensors computed from data and weights. */
  readonly #net: NodeSet;
  /** Nodes that depend on a label, a loss or a metric. */
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

  /** The nodes of the net without consumers other than side effects, labels and losses; in graph order. */
  netOutputs(): Node[] {
    const graph = this.#graph;
    /** Nodes of the net that feed only updates and summaries. */
    const onlyForEffects = new NodeSet(graph);
    /** Nodes of the net that feed only losses and metrics. */
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

  /** Whether the input of a plumbing node is itself a tensor of the net, so that skipping the node loses nothing. */
  #feedsFromNet(node: Node): boolean {
    return this.#graph.inputNodes(node).some((input) => input && this.#isNet(input) && !isNeverOutput(input));
  }

  /** Data combined with weights, and everything computed from it, is the net. */
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
    /** Nodes that are computed only from labels. */
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
      // A single number for the whole batch is a loss or a metric.
      const scalar = fromNet && this.#shapes.of({ node: node.name, port: 0 })?.length === 0;
      const isLoss = comparesWithLabels(node) && fromNet;
      if (compared || scalar || isLoss || inputs.some((input, i) => isValue(node, i) && scored.has(input))) {
        scored.add(node);
      }
    }
    return scored;
  }

  /** Whether a node adds weights: by an op that has some, or by the value of a variable. */
  #bringsWeights(node: Node): boolean {
    if (hasWeights(node)) return true;
    return node.inputs.some((ref) => {
      const source = this.#graph.find(sourceOf(this.#graph, ref, passesParameter).node);
      return holdsWeights(source);
    });
  }

  /** Data tensors that are never combined with weights: labels, targets, masks. Excludes flags and scalars. */
  #labels(): Set<string> {
    /** Tensors from which weights are reachable, computed backwards; any output counts for its node. */
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

/** Whether the value of an input becomes part of the output; that of a condition does not. */
function isValue(node: Node, index: number): boolean {
  if (isSwitch(node)) return index === 0;
  return index > 0 || !isSelect(node);
}

/** Nodes that tf.gradients created. */
function isGradient(node: Node): boolean {
  return /(^|\/)gradients(_\d+)?\//.test(node.name) || isGradientOp(node);
}
