import type { Found, Rule } from './rule.js';

/** Random ops that feed an output and may be meant to: latent variables, samples. */
export const randomOp: Rule = {
  id: 'random-op',
  level: 'warn',
  find({ analysis: { randomOps, problems, graph } }) {
    const reported = new Set(problems.flatMap((problem) => (problem.code === 'random_op' ? [problem.random] : [])));
    return randomOps
      .filter((node) => !reported.has(node))
      .map((node): Found => ({ node, detail: { code: 'random', op: graph.get(node).op } }));
  },
};
