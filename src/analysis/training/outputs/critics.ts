import { isFloat } from '../../../graph/dtype.js';
import type { Node } from '../../../graph/node.js';
import { NodeSet } from '../../../graph/node_set.js';
import { sourceOf } from '../../../graph/walk.js';
import { anyOf } from '../../../ops/meaning.js';
import { Shapes } from '../../values/shapes.js';
import type { Net } from './net.js';
import type { Prediction } from './predictions.js';

/** What the losses of a discriminator, a critic or a feature net are about. */
export interface Critics {
  /** Tensors of the net that take the place of data: generated images, chosen actions. */
  readonly imitations: readonly Node[];
  /** Predictions about them: they train the net, and are no result. */
  readonly critics: ReadonlySet<Prediction>;
}

const passesWeight = anyOf('identity', 'read', 'cast', 'reshape', 'enter', 'switch');
const isUpdate = anyOf('update');
const isWeighted = anyOf('weighted', 'gather', 'gather_variable');

/** A search of all descendants of a layer is as long as the graph: for so many layers at most. */
const MAX_LAYERS = 16;
const MAX_STEPS = 32;

/** A layer that is applied to data in one place, and to a tensor of the net in another. */
interface Imitation {
  /** The op that takes the tensor of the net. */
  readonly site: Node;
  readonly imitations: readonly Node[];
  /** The op that takes data, if its weight is one that no optimizer trains. */
  readonly fixed?: Node | undefined;
}

/**
 * Finds predictions about generated data. A discriminator has no label: its losses compare it with constants. It reads data in one
 * place and, with the same weights, what the generator makes in another; or it is trained by an optimizer of its own. A net of
 * features, whose weights nothing trains, compares what it reads in both places.
 *
 * @param trained - the variables that an optimizer trains
 */
export function findCritics(net: Net, predictions: readonly Prediction[], trained: NodeSet): Critics {
  const unlabelled = predictions.filter(({ reader, compared }) => reader === 'loss' && !compared);
  const found = new Set<Node>();
  const critics = new Set<Prediction>();
  const sites = [...findImitations(net, trained), ...(unlabelled.length > 0 ? findBoundaries(net) : [])];
  const readings = sites.map(({ site, imitations, fixed }) => {
    const beyond = beyondSite(net, site);
    const scored = predictions.filter(({ node, reader }) => reader !== 'nothing' && beyond.has(node));
    const ofFeatures = fixed ? featuresOf(net, [site, fixed], predictions, trained) : [];
    return { imitations, scored, ofFeatures };
  });
  for (const { imitations, scored, ofFeatures } of readings) {
    if (ofFeatures.length > 0 || scored.some((each) => unlabelled.includes(each))) {
      for (const each of imitations) found.add(each);
    }
    for (const each of ofFeatures) critics.add(each);
  }
  for (const { imitations, scored } of readings) {
    // What reads generated data scores it, also where it has a label: a generator back to the first domain.
    if (imitations.every((each) => found.has(each))) for (const each of scored) critics.add(each);
  }
  if (critics.size === 0) return { imitations: [], critics };
  // The same net applied to data is a critic as well.
  const weights = weightsOf(
    net,
    [...critics].map(({ node }) => node),
    new Set([...found].map(({ id }) => id)),
  );
  for (const each of predictions) {
    // A head with a label, or one that nothing reads, is a classifier of the data.
    if (critics.has(each) || found.has(each.node) || each.compared || each.reader === 'nothing') continue;
    const own = [...weightsOf(net, [each.node], new Set())];
    if (own.length > 0 && own.every((weight) => weights.has(weight))) critics.add(each);
  }
  return { imitations: [...found], critics };
}

/**
 * What a net of features computes of data and of an imitation, where a loss compares the two: if there is no trained weight
 * beyond, and no prediction is computed from both.
 */
function featuresOf(
  net: Net,
  sites: readonly [made: Node, real: Node],
  predictions: readonly Prediction[],
  trained: NodeSet,
): Prediction[] {
  const [made, real] = sites.map((site) => beyondSite(net, site)) as [NodeSet, NodeSet];
  const isTrained = (node: Node) =>
    node.inputs.some(({ node: name, port }, i) => {
      if (!net.isWeightInput(net.graph.inputNode(node, i))) return false;
      return trained.has(net.graph.find(sourceOf(net.graph, { node: name, port }, passesWeight).node));
    });
  const beyond = predictions.filter(({ node }) => made.has(node) || real.has(node));
  const isFeature = ({ node, reader }: Prediction) => reader === 'loss' && !(made.has(node) && real.has(node));
  const isOwn = [...made, ...real].every((node) => !isTrained(node)) && beyond.every(isFeature);
  const meets = [...made].some((node) => real.has(node));
  return isOwn && meets && beyond.some(({ node }) => made.has(node)) ? beyond : [];
}

function findImitations(net: Net, trained: NodeSet): Imitation[] {
  const byWeight = new Map<string, { node: Node; data: Node; weight: Node | undefined }[]>();
  for (const node of net.order) {
    if (!(net.isOfNet(node) || net.isRaw(node)) || !isWeighted(node) || net.looped.has(node)) continue;
    const inputs = net.graph.inputNodes(node);
    const data = inputs.find((input) => net.data.has(input));
    const at = inputs.findIndex((input) => net.isWeightInput(input) || isFilter(input));
    if (!data || at < 0) continue;
    const { node: weight } = sourceOf(net.graph, node.inputs[at]!, passesWeight);
    const key = `${node.op} ${at} ${weight}`;
    const same = byWeight.get(key) ?? [];
    byWeight.set(key, [...same, { node, data, weight: net.graph.find(weight) }].slice(0, MAX_LAYERS));
  }
  const found: Imitation[] = [];
  for (const sites of byWeight.values()) {
    const real = sites.find(({ data }) => net.isRaw(data));
    const made = sites.filter(({ data }) => net.isOfNet(data));
    if (!real || made.length === 0 || found.length >= MAX_LAYERS) continue;
    const own = new NodeSet(net.graph);
    for (const { node } of sites) for (const each of beyondSite(net, node)) own.add(each);
    // In a recurrent net, later steps take what the same weights made.
    for (const { node, data } of made) {
      if (own.has(data)) continue;
      const fixed = trained.size > 0 && !trained.has(real.weight) ? real.node : undefined;
      if (fixed || real.weight?.tensor === undefined)
        found.push({ site: node, imitations: tensorsMade(net, data, real.data), fixed });
    }
  }
  return found;
}

/** Whether a node is a constant that a net of features may have as a weight. */
function isFilter(node: Node | undefined): boolean {
  return node?.tensor !== undefined && isFloat(node.tensor.dtype) && node.tensor.shape.length > 1;
}

/** Tensors that pass from the weights that one optimizer trains into those that another one does. */
function findBoundaries(net: Net): Imitation[] {
  const groups = new Map<string, number>();
  const masks = new Int32Array(net.graph.idLimit);
  for (const node of net.order) {
    if (!isUpdate(node) || !node.inputs[0]) continue;
    const optimizer = net.graph.controlConsumers(node.name)[0]?.name ?? '';
    if (!groups.has(optimizer)) groups.set(optimizer, groups.size);
    const variable = net.graph.find(sourceOf(net.graph, node.inputs[0], passesWeight).node);
    if (variable) masks[variable.id] = masks[variable.id]! | (1 << (groups.get(optimizer)! & 31));
  }
  if (groups.size < 2) return [];
  const found: Imitation[] = [];
  for (const node of net.order) {
    if (net.gradients.has(node) || net.effects.has(node)) continue;
    const inputs = net.graph.inputNodes(node);
    for (const input of inputs) if (input) masks[node.id] = masks[node.id]! | masks[input.id]!;
    if (!net.isOfNet(node) || !net.bringsWeights(node) || found.length >= MAX_LAYERS) continue;
    const own = inputs.reduce((mask, input) => (input && net.isWeightInput(input) ? mask | masks[input.id]! : mask), 0);
    const made = inputs.filter((input): input is Node => net.isOfNet(input) && masks[input.id] !== 0);
    const outside = made.filter((input) => (masks[input.id]! & own) === 0);
    if (own !== 0 && outside.length > 0) {
      found.push({ site: node, imitations: outside.flatMap((input) => tensorsMade(net, input, undefined)) });
    }
  }
  return found;
}

/** What a net computes from an op on, up to its losses. */
function beyondSite(net: Net, site: Node): NodeSet {
  const beyond = new NodeSet(net.graph, [site]);
  const isBeyond = (node: Node) => net.isOfNet(node) || (net.isRaw(node) && !net.gradients.has(node));
  for (const node of beyond) {
    for (const consumer of net.graph.dataConsumers(node.name)) if (isBeyond(consumer)) beyond.add(consumer);
  }
  return beyond;
}

/** The weights that feed nodes, without those before given nodes. */
function weightsOf(net: Net, nodes: readonly Node[], stop: ReadonlySet<number>): Set<string> {
  const weights = new Set<string>();
  const seen = new NodeSet(net.graph, nodes);
  for (const node of seen) {
    if (stop.has(node.id)) continue;
    for (const [i, input] of net.graph.inputNodes(node).entries()) {
      if (net.isWeightInput(input)) weights.add(sourceOf(net.graph, node.inputs[i]!, passesWeight).node);
      else if (net.net.has(input)) seen.add(input);
    }
  }
  return weights;
}

/**
 * The tensors of the net that take the place of data. The ops that both go through belong to the reader: flattening, noise, a
 * condition that is concatenated; so do those that mix the tensor with data, as an interpolation does.
 */
function tensorsMade(net: Net, made: Node, real: Node | undefined): Node[] {
  const found = new Set<Node>();
  const shapes = new Shapes(net.graph);
  const rank = (node: Node) => shapes.of({ node: node.name, port: 0 })?.length ?? 0;
  const waiting: [made: Node, real: Node | undefined][] = [[made, real]];
  for (let step = 0; waiting.length > 0 && step < MAX_STEPS; step++) {
    const [at, data] = waiting.pop()!;
    const inputs = net.graph.inputNodes(at);
    const others = data ? net.graph.inputNodes(data) : [];
    const isMixed = inputs.some((input) => net.data.has(input) && !net.isOfNet(input));
    const first = inputs[0];
    const isSame = data !== undefined && data.op === at.op && others.length === inputs.length && others.length > 0;
    const shrinks = !(first && rank(at) > rank(first));
    if ((isMixed || (isSame && shrinks)) && !net.bringsWeights(at)) {
      for (const [i, input] of inputs.entries()) {
        if (net.isOfNet(input)) waiting.push([input, isSame ? others[i] : undefined]);
      }
    } else found.add(at);
  }
  return [...found];
}
