import type { OutputCandidate } from '../analysis/training/outputs.js';
import type { Problem } from '../analysis/training/problems.js';
import type { Fix } from '../errors.js';
import { refText } from '../graph/node.js';
import { anyOf } from '../ops/meaning.js';
import type { Refusable } from './analysis.js';
import { calibrateFix } from './calibrate_fix.js';
import { candidatesWhy, signatureLines } from './candidate_text.js';
import { obstaclesText } from './obstacle_text.js';
import { randomOpProblemText } from './random_op_text.js';
import { flagReport } from './report.js';
import { copiedText, healthText, lastBatchText, missingText } from './statistics_text.js';
import { listed, plural } from './text.js';
import { withoutStatistics } from './without_statistics.js';

/** The text of an error about problems. */
export interface ProblemText {
  readonly headline: string;
  readonly where?: string | undefined;
  readonly why?: string | readonly string[] | undefined;
  /** As that of an error. */
  readonly wholeWhy?: readonly string[] | undefined;
  readonly fixes: readonly Fix[];
  readonly option?: string;
}

type With<C extends Problem['code']> = Extract<Problem, { readonly code: C }>;

const reduces = anyOf('reduction');

const OTHER_OUTPUTS: Fix = { option: 'outputs', value: 'TENSOR', text: 'chooses outputs that do not depend on it' };
const BEFORE_DIVERGED: Fix = {
  option: 'checkpoint',
  value: 'PREFIX',
  text: 'names a checkpoint from before training diverged',
};

/** Why an output is constant at inference. */
const CONSTANT = {
  batch_statistics: {
    headline: 'depends on the input only through batch statistics',
    why: 'with the moving averages in their place, it is constant at inference',
  },
  dropout: {
    headline: 'depends only on random numbers of dropouts',
    why: 'without dropout, it is constant at inference',
  },
} as const;

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
    case 'outputs_missing':
      return outputsMissing(first, analysis);
    case 'constant_output':
      return {
        headline: `${first.tensor.node} ${CONSTANT[first.cause].headline}`,
        where: first.tensor.node,
        why: CONSTANT[first.cause].why,
        fixes: [{ option: 'outputs', value: 'TENSOR', text: 'names an output of the net' }],
      };
    case 'unpaired':
    case 'unhealthy':
      return withoutStatistics(problems as readonly With<'unpaired' | 'unhealthy'>[], analysis);
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
        why: lastBatchText(first.averages),
        fixes: readInstead(first.variable, [...first.averages, first.variable]),
      };
    case 'unread_statistic': {
      const isReduction = reduces(analysis.graph.find(first.node));
      const what = isReduction ? 'reduces the batch' : 'depends on data, but all examples share it,';
      return {
        headline: `${first.node} may be a batch statistic that a moving statistic replaces at inference`,
        where: first.node,
        why: `it ${what} and feeds an output, and nothing reads ${listed(first.variables)}, by name a moving statistic of its size`,
        fixes: [
          // Of another op, it is not certain which of its tensors is the statistic.
          ...(isReduction ? readInstead(first.node, first.variables.slice(0, SHOWN)) : []),
          keep(
            problems.flatMap((each) => (each.code === 'unread_statistic' ? [each.node] : [])).join(','),
            'keeps using the batch at hand',
          ),
        ],
      };
    }
    case 'untrained_selected': {
      const { variables } = first;
      return {
        headline: `${plural(variables.length, 'moving statistic')} ${variables.length === 1 ? 'was' : 'were'} never trained`,
        where: listed(variables, 1),
        why: `a flag selects them at inference, but they are still all 0 or all 1: ${listed(variables, 6)}`,
        fixes: [
          { option: 'allowUntrained', text: 'accepts them' },
          calibrateFix(analysis),
          ...inTrainingMode(analysis),
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
        why: ['a flag selects them at inference:', ...lines],
        fixes: [
          BEFORE_DIVERGED,
          calibrateFix(analysis),
          { option: 'set', value: first.flags.join(','), text: 'accepts them' },
        ],
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
      return withoutValue(problems as readonly With<'no_value'>[], analysis);
  }
}

/** The options that leave the flags of a graph at training, and its batch norms as they are. */
function inTrainingMode({ flags, graph }: Refusable): Fix[] {
  const settings = flags
    .filter(({ reason }) => reason.code !== 'given')
    .map((flag) => flagReport(graph, flag))
    .map(({ name, value }) => `${name}=${typeof value === 'boolean' ? !value : Number(value === 0)}`);
  if (settings.length === 0) return [];
  const text = 'together with the next one leaves the graph in training mode';
  return [{ option: 'set', value: settings.join(','), text }, keep('*', 'accepts its batch norms as they are')];
}

function outputNames({ outputs }: Refusable): string {
  return listed(
    outputs.refs.map(({ node }) => node),
    4,
  );
}

function outputsUnclear(problem: With<'outputs_unclear'>, { model }: Refusable): ProblemText {
  const { candidates, proposed, signatures } = problem;
  if (signatures.length > 0) {
    return {
      headline: `the model has ${signatures.length} signatures: which outputs are wanted?`,
      where: model.name,
      why: ['signatures and their outputs:', ...signatureLines(signatures)],
      fixes: signatures.map(({ name }) => ({ option: 'signature', value: name })),
    };
  }
  if (candidates.length === 0) {
    return {
      headline: 'no tensor looks like an output',
      where: model.name,
      why: 'no tensor depends on data and on a weight',
      fixes: [{ option: 'outputs', value: 'TENSOR', text: 'names the outputs' }],
    };
  }
  return {
    headline: 'cannot determine the output tensors',
    where: model.name,
    ...candidatesWhy(candidates),
    fixes: [
      outputsFix(
        proposed.map((name) => name.replace(/:0$/, '')),
        candidates,
      ),
    ],
  };
}

function outputsMissing({ outputs: missing, signature }: With<'outputs_missing'>, analysis: Refusable): ProblemText {
  const { refs, proposed, candidates } = analysis.outputs;
  const text = {
    headline: `the graph lacks ${plural(missing.length, 'output')} of the signature ${signature}`,
    where: analysis.model.name,
  };
  const lost = `bnfix finds no tensor for ${listed(missing, 6)}`;
  if (refs.length > 0) {
    const fix = { option: 'outputs', value: refs.map(refText).join(','), text: 'takes the outputs that are there' };
    return { ...text, why: lost, fixes: [fix] };
  }
  if (candidates.length === 0) {
    return { ...text, why: lost, fixes: [{ option: 'outputs', value: 'TENSOR', text: 'names the outputs' }] };
  }
  const { why, wholeWhy } = candidatesWhy(candidates);
  return {
    ...text,
    why: [lost, ...why],
    ...(wholeWhy && { wholeWhy: [lost, ...wholeWhy] }),
    fixes: [outputsFix(proposed.map(refText), candidates)],
  };
}

/** Proposes outputs, all of them in one value. */
function outputsFix(names: readonly string[], candidates: readonly OutputCandidate[]): Fix {
  const wanted = names.length > 0 ? names : candidates.slice(0, 1).map(({ ref }) => refText(ref));
  const text =
    wanted.length === 1 ? 'names the output' : wanted.length === 2 ? 'takes both' : `takes all ${wanted.length}`;
  return { option: 'outputs', value: wanted.join(','), text };
}

const SHOWN = 8;

function withoutValue(problems: readonly With<'no_value'>[], analysis: Refusable): ProblemText {
  const { model, needed, batchNorms } = analysis;
  const { message, where, why, fixes: own } = problems[0]!.value;
  const isStatistic = batchNorms.some(({ health }) => health?.kind === 'missing');
  const fixes = isStatistic ? [...own, calibrateFix(analysis)] : own;
  if (problems.length === 1) return { headline: message, where, why, fixes };
  const names = problems.map(({ variable }) => variable);
  if (model.checkpoint && 2 * names.length >= needed.length) {
    const values = `values for ${needed.length - names.length} of the ${needed.length} variables that the outputs need`;
    return {
      headline: `${model.checkpoint.name} may belong to another model: it has ${values}`,
      where: model.checkpoint.name,
      why: `without a usable value: ${listed(names, 6)}`,
      fixes,
    };
  }
  return {
    headline: `${plural(names.length, 'variable')} that the outputs need have no usable value`,
    where,
    why: [listed(names, 6), missingText(problems[0]!.value)],
    fixes,
  };
}
