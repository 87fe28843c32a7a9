import { basename } from '../base_name.js';
import type { CheckContext, Rule } from './rule.js';

/** Variables in a graph that calls itself frozen: by its name, or because others of its variables are constants. */
export const unfrozenVariables: Rule = {
  id: 'unfrozen-variables',
  level: 'warn',
  find(context) {
    const variables = context.analysis.needed.filter(({ value }) => value === undefined).map(({ node }) => node);
    if (variables.length === 0 || !callsItselfFrozen(context)) return [];
    return [{ node: variables[0], detail: { code: 'variables_left', variables } }];
  },
};

function callsItselfFrozen({ model, analysis, live }: CheckContext): boolean {
  if (model.kind !== 'graph_def' || model.checkpoint) return false;
  if (/fr[eo]{1,2}zen|freeze/i.test(basename(model.name))) return true;
  return [...live].some(({ name, op }) => op === 'Const' && analysis.variables.named(name)?.value !== undefined);
}
