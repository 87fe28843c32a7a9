import { findActivations } from '../analysis/training/activations.js';
import type { AnalysedBatchNorm } from '../freezing/analysis.js';
import type { Graph } from '../graph/graph.js';
import { refText, type TensorRef } from '../graph/node.js';
import { ancestors, topologicalOrder } from '../graph/walk.js';
import { Frames } from '../ops/frames.js';
import { anyOf, scalarOf } from '../ops/meaning.js';

/** A batch norm of the saved graph, and the tensors around it. */
export interface Layer {
  readonly name: string;
  /** The activation that it normalises. */
  readonly x: TensorRef;
  /** The normalised, scaled and shifted activation. */
  readonly y: TensorRef;
  readonly isFused: boolean;
  /** The ops that it consists of, as far as they compute activations. */
  readonly ops: readonly string[];
}

const arranges = anyOf('identity', 'cast', 'reshape', 'bias');

/** The batch norms of a graph in the order of computation; without those in loops, and those whose output is not found. */
export function findLayers(saved: Graph, batchNorms: readonly AnalysedBatchNorm[]): Layer[] {
  const frames = new Frames(saved);
  const places = new Map(topologicalOrder(saved).map(({ name }, place) => [name, place]));
  const layers = batchNorms.flatMap((batchNorm): Layer[] => {
    const { name, x, unfused } = batchNorm;
    if (!saved.has(name) || !saved.has(x.node) || frames.of(name).length > 0) return [];
    if (!unfused) return [{ name, x, y: { node: name, port: 0 }, isFused: true, ops: [name] }];
    const ops = opsOf(saved, batchNorm);
    const last = ops.at(-1);
    return last === undefined ? [] : [{ name, x, y: { node: last, port: 0 }, isFused: false, ops }];
  });
  return layers.sort((a, b) => places.get(a.y.node)! - places.get(b.y.node)!);
}

/**
 * The ops of an unfused batch norm, its output last: what is computed element by element from the activation, its statistics and its
 * parameters alone.
 */
function opsOf(graph: Graph, { x, unfused, parameters }: AnalysedBatchNorm): string[] {
  const { reductions } = unfused!;
  const activations = findActivations(graph);
  const given = new Set(parameters.map(refText));
  const statistics = new Set(reductions);
  const before = ancestors(graph, reductions, false);
  const normalized = new Set([x.node]);
  const ops: string[] = [];
  for (const node of topologicalOrder(graph)) {
    if (statistics.has(node.name) || node.inputs.length === 0) continue;
    const inputs = node.inputs.map((ref) => ref.node);
    const isOfStatistics = inputs.some((input) => statistics.has(input));
    if (inputs.every((input) => statistics.has(input) || !activations.hasNamed(input))) {
      if (isOfStatistics) statistics.add(node.name);
      continue;
    }
    if (!scalarOf(node.op) && !arranges(node)) continue;
    const others = node.inputs.filter(({ node: input }) => !normalized.has(input));
    if (others.length === inputs.length) continue;
    const isPart = others.every((ref) => statistics.has(ref.node) || given.has(refText(ref)));
    if (!isPart || (others.length === 0 && node.inputs.length > 1)) continue;
    normalized.add(node.name);
    if (others.length > 0 && !before.has(node)) ops.push(node.name);
  }
  return ops;
}

/** Whether a graph lacks ops of batch norms that another, repaired one has: they were folded. */
export function isFolded(graph: Graph, repaired: Graph, layers: readonly Layer[]): boolean {
  const names = layers.flatMap(({ ops }) => ops).filter((name) => repaired.has(name));
  return names.some((name) => graph.find(name)?.op !== repaired.get(name).op);
}
