import type { Node } from '../../../graph/node.js';
import { NodeSet } from '../../../graph/node_set.js';
import type { Net } from './net.js';
import type { Prediction } from './predictions.js';

/** What a prediction is made of. */
export interface Parts {
  /** Names of its weights. */
  readonly variables: readonly string[];
  /** Names of the data that it depends on. */
  readonly sources: readonly string[];
  /** The tensors of the net that feed it. */
  readonly net: NodeSet;
}

/** What feeds a tensor. */
export function partsOf(net: Net, node: Node): Parts {
  const seen = new NodeSet(net.graph, [node]);
  const variables: string[] = [];
  const sources: string[] = [];
  for (const each of seen) {
    const inputs = net.graph.inputNodes(each);
    if (each.inputs.length === 0 && net.weights.has(each)) variables.push(each.name);
    if (net.fed.has(each) && inputs.every((input) => !net.fed.has(input))) sources.push(each.name);
    for (const input of inputs) seen.add(input);
  }
  return {
    variables: variables.sort(),
    sources,
    net: new NodeSet(
      net.graph,
      [...seen].filter((each) => net.net.has(each)),
    ),
  };
}

/** The candidate that no loss reads and that the same weights make as a candidate that a loss reads. */
export function trainingCopyOf(
  prediction: Prediction,
  live: readonly Prediction[],
  parts: ReadonlyMap<Prediction, Parts>,
  trained: NodeSet,
): string | undefined {
  const own = parts.get(prediction);
  if (!own || (prediction.reader !== 'loss' && prediction.reader !== 'discriminator')) return undefined;
  const copy = live.find((each) => {
    const other = parts.get(each);
    if (!other || (each.reader !== 'nothing' && each.reader !== 'metric')) return false;
    // At inference, a batch norm has moving statistics as well.
    const more = other.variables.filter((name) => !own.variables.includes(name));
    return (
      isWithin(own.variables, other.variables) &&
      more.every((name) => !trained.hasNamed(name)) &&
      ![...other.net].some((node) => own.net.has(node))
    );
  });
  return copy?.node.name;
}

/** The candidate made by a loop whose weights are applied once to make a given one: Keras tries its cells out so. */
export function firstStepOf(
  { looped, data }: Net,
  prediction: Prediction,
  live: readonly Prediction[],
  parts: ReadonlyMap<Prediction, Parts>,
): string | undefined {
  const own = parts.get(prediction);
  if (looped.size === 0 || !own || prediction.reader !== 'nothing') return undefined;
  const isLooped = ({ net }: Parts) => [...net].some((node) => looped.has(node) && data.has(node));
  if (isLooped(own)) return undefined;
  return live.find((each) => {
    const other = parts.get(each);
    if (!other || !isLooped(other)) return false;
    return isWithin(own.variables, other.variables) && isWithin(own.sources, other.sources);
  })?.node.name;
}

function isWithin(names: readonly string[], others: readonly string[]): boolean {
  return names.every((name) => others.includes(name));
}

/** Whether some predictions are linked by weights and data that they, or predictions between them, share. */
export function areConnected(wanted: ReadonlySet<Parts>, all: readonly Parts[]): boolean {
  const [first] = wanted;
  if (!first) return true;
  const namesOf = ({ variables, sources }: Parts) => [...variables, ...sources];
  const reached = new Set(namesOf(first));
  let waiting = all.filter((each) => each !== first);
  for (;;) {
    const next = waiting.filter((each) => namesOf(each).some((name) => reached.has(name)));
    if (next.length === 0) return waiting.every((each) => !wanted.has(each));
    for (const each of next) for (const name of namesOf(each)) reached.add(name);
    waiting = waiting.filter((each) => !next.includes(each));
  }
}
