import type { RandomOpProblem } from '../analysis/training/random_op_problem.js';

const TEXTS: Readonly<Record<RandomOpProblem['code'], string>> = {
  unbalanced_mask: 'its mask is not scaled by 1 / P(keep)',
  not_a_mask: 'its mask is not a scaled 0/1 mask',
  widens: 'its mask has more elements than the data',
  divides: 'the data is divided by random numbers',
  adds: 'random numbers are added to the data',
  chooses: 'it selects elements at random',
  branches: 'it takes a branch at random',
  shuffles: 'it shuffles the data',
  changes_data: 'it changes the data at random',
  changes_weights: 'it changes weights',
};

/** Why a random op is not a dropout that can be removed. */
export function randomOpProblemText(problem: RandomOpProblem): string {
  return TEXTS[problem.code];
}
