import type { Problem } from '../analysis/training/problems.js';
import { BnfixError, type ErrorCode, type Fix } from '../errors.js';
import { printGraph } from '../notation/print.js';
import type { Refusable } from './analysis.js';
import { refuseWithoutCheckpoint } from './no_checkpoint.js';
import { problemText } from './problem_text.js';

/** The error code of each problem, in the order in which problems are reported: the first gives the headline. */
const CODES: Readonly<Record<Problem['code'], ErrorCode>> = {
  outputs_unclear: 'usage',
  outputs_missing: 'usage',
  unpaired: 'statistics',
  unhealthy: 'statistics',
  untrained_statistic: 'statistics',
  ambiguous_statistic: 'statistics',
  last_batch_in_use: 'statistics',
  unread_statistic: 'statistics',
  still_in_use: 'unsupported',
  gradient: 'unsupported',
  step_dependent: 'unsupported',
  random_op: 'unsupported',
  updated_in_use: 'unsupported',
  constant_output: 'usage',
  unknown_reader: 'unsupported',
  training_in_function: 'unsupported',
  cannot_run: 'unsupported',
  untrained_selected: 'statistics',
  unhealthy_selected: 'statistics',
  no_value: 'statistics',
};

/** Problems that are reported together: batch norms without usable statistics. */
const GROUPS: readonly (readonly Problem['code'][])[] = [
  ['unpaired', 'unhealthy'],
  ...(Object.keys(CODES) as Problem['code'][])
    .filter((code) => code !== 'unpaired' && code !== 'unhealthy')
    .map((code) => [code]),
];

/**
 * Refuses to freeze an analysis with problems.
 * @throws BnfixError with all problems: the first group gives the headline, the others follow
 */
export function refuse(analysis: Refusable): void {
  const { problems, outputs } = analysis;
  if (problems.length === 0) return;
  refuseWithoutCheckpoint(analysis);
  // Without outputs, other problems may be about tensors that do not matter.
  const groups = groupsOf(outputs.refs.length > 0 ? problems : problems.filter(isAboutOutputs));
  const [first, ...others] = groups.map((group) => problemText(group, analysis));
  const why = [first!.why, ...others.flatMap((other) => [other.headline, other.why])].flatMap((lines) => lines ?? []);
  throw new BnfixError(CODES[groups[0]![0]!.code], first!.headline, {
    where: first!.where,
    why,
    wholeWhy: groups.length === 1 ? first!.wholeWhy : undefined,
    fix: distinct([first!, ...others].flatMap(({ fixes }) => fixes)),
    option: first!.option,
    data: {
      problems,
      ...(analysis.graph.has(first!.where ?? '') && { around: printGraph(analysis.graph, { around: first!.where! }) }),
    },
  });
}

/** Whether a problem is which outputs are wanted. */
export function isAboutOutputs({ code }: Problem): boolean {
  return code === 'outputs_unclear' || code === 'outputs_missing';
}

function groupsOf(problems: readonly Problem[]): Problem[][] {
  const order = Object.keys(CODES);
  const first = [...problems].sort((a, b) => order.indexOf(a.code) - order.indexOf(b.code))[0]!;
  const isFirst = (codes: readonly Problem['code'][]) => codes.includes(first.code);
  const ordered = [...GROUPS].sort((a, b) => Number(isFirst(b)) - Number(isFirst(a)));
  return ordered
    .map((codes) => problems.filter(({ code }) => codes.includes(code)))
    .filter((group) => group.length > 0);
}

function distinct(fixes: readonly Fix[]): Fix[] {
  const seen = new Set<string>();
  return fixes.filter((fix) => {
    const key = JSON.stringify(fix);
    return !seen.has(key) && seen.add(key);
  });
}
