import type { CheckpointProblem, Found, Rule } from './rule.js';
import { unhealthy } from './statistics.js';

/** Variables that feed an output, and moving statistics, for which the checkpoint has no value of their dtype and shape. */
export const missingWeights: Rule = {
  id: 'missing-weights',
  level: 'error',
  find({ analysis, checkpointProblem }) {
    if (checkpointProblem?.code === 'foreign') return [ofCheckpoint(checkpointProblem)];
    // Without a checkpoint, all are missing: the graph can be checked nevertheless.
    if (!analysis.model.checkpoint) return [];
    const found: Found[] = [];
    const reported = new Set<string>();
    for (const problem of analysis.problems) {
      if (problem.code !== 'no_value') continue;
      const { variable, value } = problem;
      reported.add(value.message);
      found.push({ node: variable, detail: { code: 'missing_weight', value } });
    }
    const ofStatistics = unhealthy(
      { analysis },
      (problem) => problem.kind === 'missing' && !reported.has(problem.value.message),
    );
    return [...found, ...ofStatistics];
  },
};

/** A checkpoint that cannot be read: neither weights nor statistics were checked. */
export const unreadableCheckpoint: Rule = {
  id: 'unreadable-checkpoint',
  level: 'warn',
  find: ({ checkpointProblem }) => (checkpointProblem?.code === 'unreadable' ? [ofCheckpoint(checkpointProblem)] : []),
};

function ofCheckpoint({ error }: CheckpointProblem): Found {
  const { message, where, why, fixes } = error;
  return { node: undefined, detail: { code: 'missing_weight', value: { message, where, why, fixes } } };
}
