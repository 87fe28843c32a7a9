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
}

const arranges = anyOf('identity', 'cast', 'reshape', 'bias');

/** The batch norms of a graph, with their outputs; without those in loops, and those whose output is not found. */
export function findLayers(saved: Graph, batchNorms: readonly AnalysedBatchNorm[]): Layer[] {
  const frames = new Frames(saved);
  return batchNorms.flatMap((batchNorm) => {
    const { name, x, unfused } = batchNorm;
    if (!saved.has(name) || !saved.has(x.node) || frames.of(name).length > 0) return [];
    const y = unfused ? outputOf(saved, batchNorm) : { node: name, port: 0 };
    return y ? [{ name, x, y, isFused: !unfused }] : [];
  });
}

/**
 * The output of an unfused batch norm: the last tensor that is computed element by element from the activation, its
 * statistics and its parameters alone.
 */
function outputOf(graph: Graph, { x, unfused, parameters }: AnalysedBatchNorm): TensorRef | undefined {
  const { reductions } = unfused!;
  const activations = findActivations(graph);
  const given = new Set(parameters.map(refText));
  const statistics = new Set(reductions);
  const before = ancestors(graph, reductions, false);
  const normalized = new Set([x.node]);
  let last: TensorRef | undefined;
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
    if (others.length > 0 && !before.has(node)) last = { node: node.name, port: 0 };
  }
  return last;
}
