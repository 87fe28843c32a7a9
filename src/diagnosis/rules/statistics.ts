import type { HealthProblem } from '../../analysis/state/health.js';
import type { Graph } from '../../graph/graph.js';
import { epsilonOf } from '../arithmetic.js';
import { invalidBiases } from '../invalid_biases.js';
import type { CheckContext, Found, Rule } from './rule.js';

/**
 * Stored statistics that no batch norm can use: NaN, infinity, a negative variance, a wrong number of channels, those of the
 * last batch alone; and biases into which such statistics were folded.
 */
export const invalidStatistics: Rule = {
  id: 'invalid-statistics',
  level: 'error',
  find(context) {
    const ofLastBatch = context.analysis.problems.flatMap((problem): Found[] => {
      if (problem.code !== 'last_batch_in_use') return [];
      const { variable, averages } = problem;
      return [{ node: variable, detail: { code: 'last_batch', averages } }];
    });
    const { graph } = context.analysis;
    const ofNorms = unhealthy(context, (problem, name) => isInvalid(graph, problem, name));
    return [...ofNorms, ...invalidBiases(context), ...ofLastBatch];
  },
};

/** A negative variance is NaN under the root, unless epsilon is larger. */
function isInvalid(graph: Graph, problem: HealthProblem, batchNorm: string): boolean {
  if (problem.kind === 'negative_variance') return problem.smallest + (epsilonOf(graph, batchNorm) ?? 0) <= 0;
  return problem.kind !== 'untrained' && problem.kind !== 'missing';
}

/** Stored statistics that were never updated: the mean is 0, the variance 1 (or 0) in every channel. */
export const untrainedStatistics: Rule = {
  id: 'untrained-statistics',
  level: 'warn',
  find: (context) => unhealthy(context, ({ kind }) => kind === 'untrained'),
};

/** The batch norms, fused and unfused, with a problem of their statistics. */
export function unhealthy(
  { analysis: { batchNorms, stored } }: Pick<CheckContext, 'analysis'>,
  isWanted: (problem: HealthProblem, batchNorm: string) => boolean,
): Found[] {
  const known = new Set(batchNorms.map(({ name }) => name));
  const all = [...batchNorms, ...stored.filter(({ name, isBatchNorm }) => isBatchNorm && !known.has(name))];
  return all.flatMap(({ name, health }): Found[] =>
    health && isWanted(health, name) ? [{ node: name, detail: { code: 'statistics', problem: health } }] : [],
  );
}
