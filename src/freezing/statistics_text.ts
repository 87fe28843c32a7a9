import type { MissingValue } from '../analysis/state/checkpoint_value.js';
import type { HealthProblem } from '../analysis/state/health.js';
import type { UnpairedReason } from '../analysis/training/batch_norms.js';
import { listed, plural } from './text.js';

/** Why the moving statistics of a batch norm are not certain. */
export function unpairedText(reason: UnpairedReason): string {
  switch (reason.code) {
    case 'no_average': {
      const { truncated } = reason;
      const limit = ` (the update of ${listed(truncated, 2)} is too long to analyse)`;
      return `no variable is updated from its batch mean and variance${truncated.length > 0 ? limit : ''}`;
    }
    case 'unknown_row':
      return `its statistics are rows of ${listed(reason.variables)}, and the index of the row depends on more than constants and inputs`;
    case 'several_averages':
      return `several variables average its statistics: ${reason.variables.join(', ')}`;
    case 'shared_average':
      return `${reason.variable} averages both its mean and its variance, so it holds neither`;
    case 'copied_averages': {
      const [means, variances] = [0, 1].map((i) => [...new Set(reason.pairs.map((pair) => pair[i]!))]);
      return copiedText(means!.length > 1 ? means! : variances!);
    }
    case 'mean_not_found':
      return 'the tensor with its mean was not recognised';
  }
}

/** Why a variable that each batch overwrites cannot be read. @param averages - the variables that average what it holds */
export function lastBatchText(averages: readonly string[]): string {
  if (averages.length === 0) return 'it feeds an output, and no variable averages the statistic';
  const average = averages.length === 1 ? 'averages' : 'average';
  return `it feeds an output, and ${listed(averages)} ${average} the same statistic; the graph does not show which of them inference reads`;
}

/** States that the first variable is copied, or averaged once more, into the others. */
export function copiedText([average, ...others]: readonly string[]): string {
  const updated = `${listed(others)} ${others.length === 1 ? 'is' : 'are'} updated from ${average}`;
  return `${average} averages its statistic, and ${updated}; the graph does not show which of them inference reads`;
}

/** What is wrong with moving statistics. */
export function healthText(problem: HealthProblem): string {
  switch (problem.kind) {
    case 'missing':
      return missingText(problem.value);
    case 'untrained':
      return `${problem.names[0]} is all 0 and ${problem.names[1]} all ${problem.variance}: never updated`;
    case 'not_finite':
      return `${problem.name} contains NaN or infinity`;
    case 'negative_variance':
      return `${problem.name} has a negative value: ${Number(problem.smallest.toPrecision(4))}`;
    case 'wrong_shape': {
      const [mean, variance] = problem.names;
      return `${mean} has ${plural(problem.channels[0], 'channel')}, ${variance} has ${problem.channels[1]}`;
    }
  }
}

/** Why a variable has no usable value, in one line. */
export function missingText({ message, why }: MissingValue): string {
  return why ? `${message}: ${why}` : message;
}
