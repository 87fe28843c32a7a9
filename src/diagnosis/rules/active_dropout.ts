import { settingsOf } from '../saved_flags.js';
import type { Found, Rule } from './rule.js';

/** Dropouts and other random ops that only training needs, and that act on what feeds an output. */
export const activeDropoutRule: Rule = {
  id: 'active-dropout',
  level: 'error',
  find({ analysis, asSaved, dropouts, flags }) {
    const found: Found[] = [];
    for (const { dropout, isActive, offWith } of dropouts) {
      const { output: node, random } = dropout;
      if (!isActive) continue;
      if (offWith.length > 0) found.push({ node, detail: { code: 'dropout_by_default', flags: offWith } });
      else found.push({ node, detail: { code: 'dropout', random } });
    }
    const always = new Set(analysis.dropouts.map(({ output }) => output));
    const settings = settingsOf(flags.filter(({ isInference }) => isInference === false));
    for (const { output } of asSaved.dropouts) {
      if (always.has(output)) continue;
      found.push({ node: output, detail: { code: 'dropout_by_default', flags: settings } });
    }
    for (const problem of analysis.problems) {
      if (problem.code !== 'random_op') continue;
      const { node, random, problem: kind } = problem;
      found.push({ node, detail: { code: 'random_problem', random, problem: kind } });
    }
    return found;
  },
};
