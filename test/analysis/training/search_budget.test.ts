import { expect, it } from 'vitest';
import { SearchBudget } from '../../../src/analysis/training/search_budget.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { failure } from '../../support/failure.js';

it('a search may visit a million nodes, and thirty for each node of the graph, and says where it ended', () => {
  const budget = new SearchBudget(parseGraph('x = Placeholder()\ny = Relu(x)'));
  budget.spend(1_000_000, 'x');
  budget.spend(60, 'x');
  const error = failure(() => budget.spend(1, 'y'));
  expect(error.message).toContain('the graph has too many batch statistics that feed each other');
  expect(error).toMatchObject({ code: 'unsupported', where: 'y' });
});
