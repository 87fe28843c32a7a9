import { DataType } from '../../../graph/dtype.js';
import type { Graph } from '../../../graph/graph.js';
import { type Node, refText } from '../../../graph/node.js';
import { NodeSet } from '../../../graph/node_set.js';
import { descendants } from '../../../graph/walk.js';
import { anyOf, readsShape } from '../../../ops/meaning.js';
import { outputType } from '../../../ops/registry.js';
import { Shapes } from '../../values/shapes.js';
import { computingAttrs } from '../../values/value_numbering.js';
import { copiedWeights, trainedVariables } from './copied_weights.js';
import { findCritics } from './critics.js';
import { loopOf } from './loop_results.js';
import { Net } from './net.js';
import { areConnected, firstStepOf, partsOf, trainingCopyOf } from './parts.js';
import { findPredictions, type Prediction } from './predictions.js';

/** Why a tensor in which the net ends is no output. */
export type Demotion =
  /** Another candidate is computed from it. */
  | { readonly code: 'on_the_way'; readonly to: string }
  /** It depends on nothing but what losses compare the net with. */
  | { readonly code: 'of_labels' }
  /** It is about generated data: a discriminator, a critic, features for a loss. */
  | { readonly code: 'critic' }
  /** Its weights are copied from other weights of the graph, as those of a target network are. */
  | { readonly code: 'copied_weights' }
  /** The checkpoint has no value for some of its weights. */
  | { readonly code: 'not_in_checkpoint'; readonly variable: string }
  /** It is the final state of a loop whose other results the net uses. */
  | { readonly code: 'loop_state' }
  /** It is written to a summary, and is not computed from another candidate. */
  | { readonly code: 'shown' }
  /** It is computed as another candidate is. */
  | { readonly code: 'same_as'; readonly of: string }
  /** It has one value for the whole batch. */
  | { readonly code: 'statistics' }
  /** The same weights make another candidate, which no loss reads. */
  | { readonly code: 'training_copy'; readonly of: string }
  /** It applies the weights of a loop once, outside of the loop that makes another candidate. */
  | { readonly code: 'first_step'; readonly of: string };

/** A prediction, and why it is no output; undefined if it is one. */
export interface Ranked extends Prediction {
  readonly demotion: Demotion | undefined;
}

/** The predictions of a net, ranked. */
export interface Ranking {
  readonly ranked: readonly Ranked[];
  /** Whether all that it ends in belongs to one net: linked by shared inputs and weights. */
  readonly isOneNet: boolean;
}

const isPlaceholder = anyOf('placeholder');
const CLASSES: ReadonlySet<DataType | undefined> = new Set([DataType.DT_INT32, DataType.DT_INT64, DataType.DT_UINT8]);

/** So many predictions are compared with each other. */
const MAX_COMPARED = 32;

/**
 * Ranks the tensors in which a net ends.
 * @param isServed - whether the checkpoint has a value for a variable
 */
export function rankPredictions(graph: Graph, isServed: (variable: string) => boolean): Ranking {
  let net = new Net(graph);
  let found = findPredictions(net);
  if (net.rowsOfLabels(found.targets).length > 0) {
    net = new Net(graph, found.targets);
    found = findPredictions(net);
  }
  const trained = trainedVariables(net);
  const { imitations, critics } = findCritics(net, found.predictions, trained);
  const known = new Set(found.predictions.map(({ node }) => node));
  const all = [
    ...found.predictions,
    ...imitations
      .filter((node) => !known.has(node))
      .map((node): Prediction => ({ node, reader: 'discriminator', compared: false })),
  ];
  const demotions = new Map<Prediction, Demotion>();
  const live = () => all.filter((each) => !demotions.has(each));
  /** Never demotes all. */
  const demote = (why: (prediction: Prediction) => Demotion | undefined) => {
    const worse = live().flatMap((each) => {
      const demotion = why(each);
      return demotion ? [[each, demotion] as const] : [];
    });
    if (worse.length < live().length) for (const [each, demotion] of worse) demotions.set(each, demotion);
  };

  demote((each) => (critics.has(each) ? { code: 'critic' } : undefined));
  const sources = net.otherData(found.targets);
  demote(({ node, reader, compared }) =>
    reader === 'loss' && !compared && sources.size > 0 && net.fed.has(node) && !sources.has(node)
      ? { code: 'of_labels' }
      : undefined,
  );
  demoteLoopStates(net, live(), demote);
  const copied = copiedWeights(net, trained);
  demote(({ node }) => (copied.has(node) ? { code: 'copied_weights' } : undefined));
  const parts = new Map(all.slice(0, MAX_COMPARED).map((each) => [each, partsOf(net, each.node)]));
  demote((each) => {
    const variable = parts.get(each)?.variables.find((name) => !isServed(name));
    return variable === undefined ? undefined : { code: 'not_in_checkpoint', variable };
  });
  demote((each) => {
    const of = firstStepOf(net, each, live(), parts);
    return of === undefined ? undefined : { code: 'first_step', of };
  });
  const shown = leadsTo(net, live());
  const leading = new Set(
    live()
      .filter(({ reader }) => reader !== 'summary')
      .map(({ node }) => shown.get(node)),
  );
  demote(({ node, reader }) => (reader === 'summary' && !leading.has(node.name) ? { code: 'shown' } : undefined));
  demote((each) => {
    const of = trainingCopyOf(each, live(), parts, trained);
    return of === undefined ? undefined : { code: 'training_copy', of };
  });
  demote((each) => {
    const of = sameAs(each, live());
    return of === undefined ? undefined : { code: 'same_as', of };
  });
  const shapes = new Shapes(graph);
  demote((each) => (isWithoutExamples(shapes, each, live()) ? { code: 'statistics' } : undefined));
  const leads = leadsTo(net, live());
  demote(({ node }) => {
    const to = leads.get(node);
    return to === undefined ? undefined : { code: 'on_the_way', to };
  });
  const ranked = all.map((each) => ({ ...each, demotion: demotions.get(each) }));
  const isConnected = areConnected(new Set(live().flatMap((each) => parts.get(each) ?? [])), [...parts.values()]);
  return { ranked, isOneNet: isConnected && !onlySomeNeedLabels(net, found.targets, live()) };
}

/**
 * Whether some outputs depend on the numbers of classes that losses compare with, and others do not: the former may be a
 * part of training (a reconstruction of the right class) or of the net (a generator for a class).
 */
function onlySomeNeedLabels(net: Net, targets: readonly Node[], predictions: readonly Prediction[]): boolean {
  const labels = [...net.comparedData(targets)].filter(
    (node) => isPlaceholder(node) && CLASSES.has(outputType(node, 0)) && node.inputs.length === 0,
  );
  const names = labels.map(({ name }) => name);
  const needing = descendants(net.graph, names, (node) => !readsShape(node));
  const count = predictions.filter(({ node }) => needing.has(node)).length;
  return count > 0 && count < predictions.length;
}

/** The results of loops that are only moved about: states, if the net goes on with another result of the loop. */
function demoteLoopStates(
  net: Net,
  predictions: readonly Prediction[],
  demote: (why: (prediction: Prediction) => Demotion | undefined) => void,
): void {
  const loops = new Map<Prediction, Node>();
  for (const each of predictions) {
    const loop = each.reader === 'nothing' ? loopOf(net, each.node) : undefined;
    if (loop) loops.set(each, loop);
  }
  if (loops.size === 0) return;
  demote((each) => (loops.has(each) ? { code: 'loop_state' } : undefined));
  // Where nothing but results of loops is left, the sequence of outputs is meant, not the last state.
  demote((each) => (loops.get(each) === each.node ? { code: 'loop_state' } : undefined));
}

/** The first of the predictions that each node leads to. */
function leadsTo(net: Net, predictions: readonly Prediction[]): Map<Node, string> {
  const ends = new NodeSet(
    net.graph,
    predictions.map(({ node }) => node),
  );
  const leads = new Map<Node, string>();
  for (const node of [...net.order].reverse()) {
    if (!net.net.has(node)) continue;
    for (const consumer of net.graph.dataConsumers(node.name)) {
      if (!net.isOfNet(consumer) || net.effects.has(consumer)) continue;
      const to = ends.has(consumer) ? consumer.name : leads.get(consumer);
      if (to !== undefined) leads.set(node, to);
    }
  }
  return leads;
}

/** The candidate that is the same op of the same tensors: one that nothing reads, or the last one. */
function sameAs({ node }: Prediction, live: readonly Prediction[]): string | undefined {
  const same = live.filter((each) => isSameOp(each.node, node));
  const best = same.findLast(({ reader }) => reader === 'nothing') ?? same.at(-1);
  return best === undefined || best.node === node ? undefined : best.node.name;
}

/** Whether two nodes compute the same of the same tensors. */
function isSameOp(a: Node, b: Node): boolean {
  if (a.op !== b.op || a.inputs.length === 0 || a.inputs.map(refText).join() !== b.inputs.map(refText).join())
    return false;
  return computingAttrs(a) === computingAttrs(b);
}

/** Whether a tensor has no axis for the examples, while another candidate has one. */
function isWithoutExamples(shapes: Shapes, { node }: Prediction, live: readonly Prediction[]): boolean {
  const isVector = (name: string) => {
    const shape = shapes.of({ node: name, port: 0 });
    return shape !== undefined && shape.length <= 1 && shape.every((size) => size >= 0);
  };
  return isVector(node.name) && live.some((each) => !isVector(each.node.name));
}
