import type { Found, Rule } from './rule.js';
import { unhealthy } from './statistics.js';

/** Variables that feed an output, and moving statistics, for which the checkpoint has no value of their dtype and shape. */
export const missingWeights: Rule = {
  id: 'missing-weights',
  level: 'error',
  find({ analysis }) {
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
