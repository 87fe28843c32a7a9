import { findUpdates } from '../analysis/state/moving_averages.js';
import type { Statistics } from '../analysis/state/statistics.js';
import { findVariables } from '../analysis/state/variables.js';
import { findActivations } from '../analysis/training/activations.js';
import { type BatchNorm, findBatchNorms } from '../analysis/training/batch_norms.js';
import type { Model } from '../graph/model.js';
import { INLINE_PIPELINE, runPipeline } from '../passes/pipeline.js';

/** Adds statistics from the reference graph to batch norms for which their own graph proves none. */
export function withReference(batchNorms: readonly BatchNorm[], model: Model): readonly BatchNorm[] {
  if (!model.reference) return batchNorms;
  const known = statisticsIn(model.reference, model);
  return batchNorms.map((batchNorm): BatchNorm => {
    const { name, status } = batchNorm;
    const statistics = known.get(name);
    if (!statistics || status.kind === 'inference' || isProven(status)) return batchNorm;
    const evidence = { kind: 'reference', evidence: statistics.evidence } as const;
    return { ...batchNorm, status: { kind: 'paired', statistics: { ...statistics, evidence } } };
  });
}

function isProven(status: BatchNorm['status']): boolean {
  if (status.kind !== 'paired') return false;
  const { kind } = status.statistics.evidence;
  return kind === 'update op' || kind === 'input';
}

/** The statistics of the batch norms of a reference graph, by name. */
function statisticsIn(reference: NonNullable<Model['reference']>, { checkpoint }: Model): Map<string, Statistics> {
  const graph = reference.graph.copy();
  runPipeline(INLINE_PIPELINE, { graph });
  const variables = findVariables({ ...reference, graph, checkpoint });
  const activations = findActivations(graph);
  const updates = findUpdates(graph, variables, activations);
  // Its outputs are unknown: everything may feed one.
  const all = [...graph.nodes()].map(({ name }) => ({ node: name, port: 0 }));
  const found = findBatchNorms(graph, variables, checkpoint, activations, updates, all);
  return new Map(
    found.flatMap(({ name, status }) => (status.kind === 'paired' ? [[name, status.statistics] as const] : [])),
  );
}
