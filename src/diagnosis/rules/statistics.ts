import type { HealthProblem } from '../../analysis/state/health.js';
import type { CheckContext, Found, Rule } from './rule.js';

/**
 * Stored statistics that no batch norm can use: NaN, infinity, a negative variance, a wrong number of channels, those of the
 * last batch alone.
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
    return [...unhealthy(context, ({ kind }) => kind !== 'untrained' && kind !== 'missing'), ...ofLastBatch];
  },
};

/** Stored statistics that were never updated: the mean is 0, the variance 1 (or 0) in every channel. */
export const untrainedStatistics: Rule = {
  id: 'untrained-statistics',
  level: 'warn',
  find: (context) => unhealthy(context, ({ kind }) => kind === 'untrained'),
};

/** The batch norms, fused and unfused, with a problem of their statistics. */
export function unhealthy(
  { analysis: { batchNorms, stored } }: Pick<CheckContext, 'analysis'>,
  isWanted: (problem: HealthProblem) => boolean,
): Found[] {
  const known = new Set(batchNorms.map(({ name }) => name));
  const all = [...batchNorms, ...stored.filter(({ name, isBatchNorm }) => isBatchNorm && !known.has(name))];
  return all.flatMap(({ name, health }): Found[] =>
    health && isWanted(health) ? [{ node: name, detail: { code: 'statistics', problem: health } }] : [],
  );
}
