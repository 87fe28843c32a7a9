import { findActivations } from '../analysis/training/activations.js';
import { normalizedBy } from '../analysis/training/normalized_by.js';
import type { Stored } from '../analysis/training/stored_statistics.js';
import type { AnalysedBatchNorm, Analysis, StoredBatchNorm } from '../freezing/analysis.js';
import type { Graph } from '../graph/graph.js';
import { type Node, refText, type TensorRef } from '../graph/node.js';
import { NodeSet } from '../graph/node_set.js';
import { sourceOf, topologicalOrder } from '../graph/walk.js';
import { Frames } from '../ops/frames.js';
import { anyOf, isGlobalBatchNorm, scalarOf } from '../ops/meaning.js';

/** A batch norm of the saved graph, and the tensors around it. */
export interface Layer {
  readonly name: string;
  /** The activation that it normalises. */
  readonly x: TensorRef;
  /** The normalised, scaled and shifted activation. */
  readonly y: TensorRef;
  /** One op, of the fused kind or of the kind before TensorFlow 1.0, or arithmetic. */
  readonly form: 'fused' | 'global' | 'unfused';
  /** The ops that it consists of, as far as they compute activations. */
  readonly ops: readonly string[];
}

/** What an unfused batch norm consists of. */
interface Parts {
  readonly name: string;
  readonly x: TensorRef;
  /** Where its statistics begin: reductions over the batch, or the root of a stored variance. */
  readonly origins: readonly string[];
  /** Whether a tensor is a parameter of it, or a stored statistic. */
  readonly isGiven: (ref: TensorRef) => boolean;
}

const arranges = anyOf('identity', 'cast', 'reshape', 'bias');
const forwards = anyOf('identity', 'cast', 'reshape');

/** The batch norms of a graph in the order of computation; without those in loops, and those whose output is not found. */
export function findLayers(saved: Graph, { batchNorms, stored }: Pick<Analysis, 'batchNorms' | 'stored'>): Layer[] {
  const frames = new Frames(saved);
  const places = new Map(topologicalOrder(saved).map(({ name }, place) => [name, place]));
  const isOutside = (name: string) => saved.has(name) && frames.of(name).length === 0;
  const layers = batchNorms.flatMap((batchNorm) =>
    isOutside(batchNorm.name) && saved.has(batchNorm.x.node) ? (layerOf(saved, batchNorm, places) ?? []) : [],
  );
  const known = new Set(layers.flatMap(({ name, ops }) => [name, ...ops]));
  for (const each of stored) {
    if (!each.isBatchNorm || known.has(each.name) || !isOutside(each.name)) continue;
    const layer = storedLayer(saved, each, places);
    if (layer) layers.push(layer);
  }
  return layers.sort((a, b) => places.get(a.y.node)! - places.get(b.y.node)!);
}

type Places = ReadonlyMap<string, number>;

function layerOf(saved: Graph, { name, x, unfused, parameters }: AnalysedBatchNorm, places: Places): Layer | undefined {
  if (!unfused) return { name, x, y: { node: name, port: 0 }, form: 'fused', ops: [name] };
  if (isGlobalBatchNorm(saved.get(name))) return { name, x, y: { node: name, port: 0 }, form: 'global', ops: [name] };
  const given = new Set(parameters.map(refText));
  return unfusedLayer(
    saved,
    { name, x, origins: unfused.reductions, isGiven: (ref) => given.has(refText(ref)) },
    places,
  );
}

/** One that is in inference mode already. */
function storedLayer(saved: Graph, { name, norm }: StoredBatchNorm, places: Places): Layer | undefined {
  const found = normalizedBy(saved, saved.get(name), new NodeSet(saved, saved.nodes()));
  if (!found) return undefined;
  const given = new Set([norm.variance, norm.mean, ...norm.others].flatMap((each) => (each ? nodeOf(each) : [])));
  const isGiven = (ref: TensorRef) => given.has(sourceOf(saved, ref, forwards).node);
  return unfusedLayer(saved, { name, x: found.x, origins: [name], isGiven }, places);
}

function nodeOf(stored: Stored): string {
  return stored.kind === 'variable' ? stored.variable.node : stored.node;
}

function unfusedLayer(saved: Graph, parts: Parts, places: Places): Layer | undefined {
  const ops = opsOf(saved, parts).sort((a, b) => places.get(a)! - places.get(b)!);
  const last = ops.at(-1);
  return last === undefined
    ? undefined
    : { name: parts.name, x: parts.x, y: { node: last, port: 0 }, form: 'unfused', ops };
}

/**
 * The ops of an unfused batch norm: what is computed element by element from the activation, its statistics and its parameters alone.
 */
function opsOf(graph: Graph, { x, origins, isGiven }: Parts): string[] {
  const activations = findActivations(graph);
  const statistics = new NodeSet(
    graph,
    origins.map((name) => graph.get(name)),
  );
  const normalized = new NodeSet(graph, [graph.get(x.node)]);
  const ops: Node[] = [];
  const waiting = [...normalized, ...statistics].flatMap(({ name }) => graph.dataConsumers(name));
  // Each node is looked at again when one more of its inputs is known.
  for (const node of waiting) {
    if (statistics.has(node) || normalized.has(node)) continue;
    const inputs = graph.inputNodes(node);
    const isStatistic = inputs.every((input) => statistics.has(input) || !activations.has(input));
    if (isStatistic) statistics.add(node);
    else {
      if (!scalarOf(node.op) && !arranges(node)) continue;
      const others = node.inputs.filter((_, i) => !normalized.has(inputs[i]));
      if (others.length === inputs.length || (others.length === 0 && inputs.length > 1)) continue;
      if (!others.every((ref) => statistics.hasNamed(ref.node) || isGiven(ref))) continue;
      normalized.add(node);
      if (others.length > 0) ops.push(node);
    }
    waiting.push(...graph.dataConsumers(node.name));
  }
  const before = feeding(graph, origins, normalized);
  return ops.filter((node) => !before.has(node)).map(({ name }) => name);
}

/** Which of some nodes feed others. */
function feeding(graph: Graph, names: readonly string[], among: NodeSet): NodeSet {
  const found = new NodeSet(
    graph,
    names.map((name) => graph.get(name)),
  );
  for (const node of found) for (const input of graph.inputNodes(node)) if (among.has(input)) found.add(input);
  return found;
}

/** Whether a graph lacks ops of batch norms that another, repaired one has: they were folded. */
export function isFolded(graph: Graph, repaired: Graph, layers: readonly Layer[]): boolean {
  const names = layers.flatMap(({ ops }) => ops).filter((name) => repaired.has(name));
  return names.some((name) => graph.find(name)?.op !== repaired.get(name).op);
}

/** Whether two graphs have nodes of the same names. */
export function haveSameNodes(a: Graph, b: Graph): boolean {
  return a.size === b.size && [...a.nodes()].every(({ name }) => b.has(name));
}
