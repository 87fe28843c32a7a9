import type { MissingValue } from '../analysis/state/checkpoint_value.js';
import type { HealthProblem } from '../analysis/state/health.js';
import type { UnpairedReason } from '../analysis/training/batch_norms.js';
import type { OutputCandidate } from '../analysis/training/outputs.js';
import type { Problem } from '../analysis/training/problems.js';
import type { Fix } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { refText } from '../graph/node.js';
import type { Refusable } from './analysis.js';
import { obstaclesText } from './obstacle_text.js';
import { randomOpProblemText } from './random_op_text.js';
import { tensorInfos } from './report.js';
import { listed, plural, shapeText } from './text.js';

/** The text of an error about problems. */
export interface ProblemText {
  readonly headline: string;
  readonly where?: string | undefined;
  readonly why?: string | undefined;
  readonly fixes: readonly Fix[];
  readonly option?: string;
}

type With<C extends Problem['code']> = Extract<Problem, { readonly code: C }>;

const OTHER_OUTPUTS: Fix = { option: 'outputs', value: 'TENSOR', text: 'chooses outputs that do not depend on it' };
const CHECKPOINT: Fix = {
  option: 'checkpoint',
  value: 'PREFIX',
  text: 'names the checkpoint that was saved with this graph',
};

const BEFORE_DIVERGED: Fix = {
  option: 'checkpoint',
  value: 'PREFIX',
  text: 'names a checkpoint from before training diverged',
};

function keep(node: string, what: string): Fix {
  return { option: 'keep', value: node, text: what };
}

/** One fix for each variable that may be read instead of a statistic. */
function readInstead(statistic: string, variables: readonly string[]): Fix[] {
  return variables.map((name) => ({
    option: 'map',
    value: `${statistic}=${name}`,
    text: `reads ${name} at inference`,
  }));
}

/** The error text for problems of one kind. */
export function problemText(problems: readonly Problem[], analysis: Refusable): ProblemText {
  const first = problems[0]!;
  switch (first.code) {
    case 'outputs_unclear':
      return outputsUnclear(first, analysis);
    case 'unpaired':
    case 'unhealthy':
      return withoutStatistics(problems as readonly With<'unpaired' | 'unhealthy'>[]);
    case 'untrained_statistic':
      return {
        headline: `${first.variable} was never trained`,
        where: first.tensor.node,
        why: 'it averages a batch statistic that the net uses, but is still all 0 or all 1',
        fixes: [
          { option: 'allowUntrained', text: 'accepts it' },
          keep(first.tensor.node, 'leaves the batch statistic in use'),
        ],
      };
    case 'ambiguous_statistic':
      return {
        headline: `${first.variables.length} variables may replace ${first.tensor.node} at inference`,
        where: first.tensor.node,
        why: copiedText(first.variables),
        fixes: [
          ...readInstead(first.tensor.node, first.variables),
          keep(first.tensor.node, 'leaves the batch statistic in use'),
          OTHER_OUTPUTS,
        ],
      };
    case 'last_batch_in_use':
      return {
        headline: `${first.variable} holds only the statistic of the last batch`,
        where: first.variable,
        why: `it feeds an output, and ${listed(first.averages)} ${first.averages.length === 1 ? 'averages' : 'average'} the same statistic; the graph does not show which of them inference reads`,
        fixes: readInstead(first.variable, [...first.averages, first.variable]),
      };
    case 'untrained_selected': {
      const { variables } = first;
      return {
        headline: `${plural(variables.length, 'moving statistic')} ${variables.length === 1 ? 'was' : 'were'} never trained`,
        where: listed(variables, 1),
        why: `a flag selects them at inference, but they are still all 0 or all 1: ${listed(variables, 6)}`,
        fixes: [
          { option: 'allowUntrained', text: 'accepts them' },
          keep('*', 'together with `set: FLAG=true` leaves the graph in training mode'),
        ],
      };
    }
    case 'unhealthy_selected': {
      const selected = problems as readonly With<'unhealthy_selected'>[];
      const lines = selected.slice(0, SHOWN).map(({ batchNorm, problem }) => `${batchNorm}: ${healthText(problem)}`);
      if (selected.length > SHOWN) lines.push(`and ${selected.length - SHOWN} more`);
      return {
        headline: `${plural(selected.length, 'batch norm')} with unusable moving statistics`,
        where: first.batchNorm,
        why: ['a flag selects them at inference:', ...lines].join('\n'),
        fixes: [BEFORE_DIVERGED, { option: 'set', value: first.flags.join(','), text: 'accepts them' }],
      };
    }
    case 'still_in_use': {
      const which = first.variable === undefined ? first.tensor : `${first.tensor}, which ${first.variable} averages,`;
      return {
        headline: `${first.node} uses batch statistics in a way that cannot be rewired`,
        where: first.node,
        why: `${which} feeds an output even with the moving statistics in place`,
        fixes: [keep(first.node, 'leaves it as it is'), OTHER_OUTPUTS],
      };
    }
    case 'gradient':
      return {
        headline: `${first.node} uses batch statistics in a way that cannot be rewired`,
        where: first.node,
        why: `the outputs depend on ${first.gradient}, a gradient through batch statistics`,
        fixes: [keep(first.node, 'leaves it as it is'), OTHER_OUTPUTS],
      };
    case 'step_dependent':
      return {
        headline: `${first.node} corrects moving statistics by the number of training steps`,
        where: first.node,
        why: `at this step it scales them by ${first.factor.toPrecision(4)} of the converged value; inference would not`,
        fixes: [
          keep(first.node, 'leaves the correction as it is'),
          { text: 'use a checkpoint that was trained for longer' },
        ],
      };
    case 'random_op':
      return {
        headline: `${first.node} still depends on a random op`,
        where: first.node,
        why: `its pattern is not a recognised dropout: ${randomOpProblemText(first.problem)} (${first.random})`,
        fixes: [keep(first.node, 'leaves it in the graph (outputs stay random)'), OTHER_OUTPUTS],
      };
    case 'updated_in_use':
      return {
        headline: `${first.node} (${first.op}) feeds an output`,
        where: first.node,
        why: `the value of ${outputNames(analysis)} depends on a variable after its update`,
        fixes: [{ option: 'outputs', value: 'TENSOR', text: 'chooses outputs that do not read an updated variable' }],
      };
    case 'unknown_reader':
      return {
        headline: `${first.node} (${first.op}) takes the variable itself, not its value`,
        where: first.node,
        why: 'bnfix does not know how to give this op a constant instead',
        fixes: [OTHER_OUTPUTS],
      };
    case 'training_in_function':
      return {
        headline: `${first.node} (${first.op}) is in a function that cannot be inlined`,
        where: first.function,
        why: 'an unknown op calls the function, and bnfix cannot repair training ops inside it',
        fixes: [OTHER_OUTPUTS],
      };
    case 'cannot_run': {
      const kept = problems as readonly With<'cannot_run'>[];
      return obstaclesText(
        kept.map(({ obstacle }) => obstacle),
        analysis.inputs.refs.map(refText),
      );
    }
    case 'no_value':
      return withoutValue(problems as readonly With<'no_value'>[]);
  }
}

function outputNames({ outputs }: Refusable): string {
  return listed(
    outputs.refs.map(({ node }) => node),
    4,
  );
}

function outputsUnclear({ candidates }: With<'outputs_unclear'>, { graph, model }: Refusable): ProblemText {
  const lines = candidates.slice(0, 12).map((candidate) => candidateLine(candidate, graph));
  if (candidates.length > 12) lines.push(`and ${candidates.length - 12} more`);
  const best = candidates[0]?.ref.node ?? 'NAME';
  return {
    headline: 'cannot determine the output tensors',
    where: model.name,
    why: candidates.length === 0 ? 'no tensor looks like an output' : ['candidates, best first:', ...lines].join('\n'),
    fixes: [{ option: 'outputs', value: best, text: 'names the outputs' }],
  };
}

function candidateLine({ ref, op }: OutputCandidate, graph: Graph): string {
  const [info] = tensorInfos(graph, [ref]);
  return info ? `${info.name}  ${op}  ${info.dtype} ${shapeText(info.shape)}` : `${ref.node}:${ref.port}  ${op}`;
}

const SHOWN = 8;

/** One error for all batch norms: what each lacks, and the possible fixes. */
function withoutStatistics(problems: readonly With<'unpaired' | 'unhealthy'>[]): ProblemText {
  const lines = problems.slice(0, SHOWN).map((problem) => `${problem.batchNorm}: ${statisticsReason(problem)}`);
  if (problems.length > SHOWN) lines.push(`and ${problems.length - SHOWN} more`);
  const first = problems[0]!.batchNorm;
  const kinds = new Set(problems.map((problem) => (problem.code === 'unpaired' ? 'unpaired' : problem.problem.kind)));
  const fixes: Fix[] = [];
  if (kinds.has('untrained')) {
    fixes.push({ option: 'allowUntrained', text: 'accepts statistics that were never updated' });
  }
  const copied = problems.flatMap((problem) =>
    problem.code === 'unpaired' && problem.reason.code === 'copied_averages'
      ? [{ batchNorm: problem.batchNorm, pairs: problem.reason.pairs }]
      : [],
  );
  for (const { batchNorm, pairs } of copied.slice(0, SHOWN)) {
    for (const [mean, variance] of pairs) {
      fixes.push({ option: 'map', value: `${batchNorm}=${mean},${variance}`, text: `uses ${mean} at inference` });
    }
  }
  const other = problems.find(
    ({ code, batchNorm }) => code === 'unpaired' && copied.every((each) => each.batchNorm !== batchNorm),
  );
  if (other) {
    fixes.push({
      option: 'map',
      value: `${other.batchNorm}=MEAN,VARIANCE`,
      text: 'names the variables that hold its statistics',
    });
  }
  if (kinds.has('missing')) fixes.push(CHECKPOINT);
  if (kinds.has('not_finite') || kinds.has('negative_variance') || kinds.has('wrong_shape')) {
    fixes.push(BEFORE_DIVERGED);
  }
  fixes.push(keep(first, 'leaves it in training mode: it keeps using batch statistics'));
  const what =
    kinds.size === 1 && kinds.has('untrained')
      ? 'statistics that were never trained'
      : copied.length === problems.length
        ? 'several variables may hold the moving statistics'
        : 'no usable moving statistics';
  return {
    headline: `${plural(problems.length, 'batch norm')} in training mode: ${what}`,
    where: problems.length === 1 ? first : `${first} and ${problems.length - 1} more`,
    why: lines.join('\n'),
    fixes,
  };
}

function statisticsReason(problem: With<'unpaired' | 'unhealthy'>): string {
  return problem.code === 'unpaired' ? unpairedText(problem.reason) : healthText(problem.problem);
}

function unpairedText(reason: UnpairedReason): string {
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
    case 'copied_averages': {
      const [means, variances] = [0, 1].map((i) => [...new Set(reason.pairs.map((pair) => pair[i]!))]);
      return copiedText(means!.length > 1 ? means! : variances!);
    }
    case 'mean_not_found':
      return 'the tensor with its mean was not recognised';
  }
}

/** States that the first variable is copied, or averaged once more, into the others. */
function copiedText([average, ...others]: readonly string[]): string {
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

function withoutValue(problems: readonly With<'no_value'>[]): ProblemText {
  const { message, where, why, fixes } = problems[0]!.value;
  if (problems.length === 1) return { headline: message, where, why, fixes };
  const names = problems.map(({ variable }) => variable);
  return {
    headline: `${plural(names.length, 'variable')} that the outputs need have no usable value`,
    where,
    why: [listed(names, 6), missingText(problems[0]!.value)].join('\n'),
    fixes,
  };
}

function missingText({ message, why }: MissingValue): string {
  return why ? `${message}: ${why}` : message;
}
