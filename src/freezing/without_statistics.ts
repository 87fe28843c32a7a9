import type { Problem } from '../analysis/training/problems.js';
import type { Fix } from '../errors.js';
import type { AnalysedBatchNorm, Refusable } from './analysis.js';
import { calibrateFix } from './calibrate_fix.js';
import { nameMatcher } from './name_matcher.js';
import type { ProblemText } from './problem_text.js';
import { shortNames } from './short_names.js';
import { channelsOf, pairIn, vectorsOfSize } from './statistics_candidates.js';
import { healthText, unpairedText } from './statistics_text.js';
import { countText, listed, plural } from './text.js';

type Refused = Extract<Problem, { readonly code: 'unpaired' | 'unhealthy' }>;

/** Number of batch norms that are named for each reason. */
const SHOWN = 8;

/** One error for all batch norms: what each lacks, and the possible fixes. */
export function withoutStatistics(problems: readonly Refused[], analysis: Refusable): ProblemText {
  const wrong = wrongPair(problems, analysis);
  if (wrong) return wrong;
  const names = problems.map(({ batchNorm }) => batchNorm);
  return {
    headline: headline(problems, analysis),
    where: names.length === 1 ? names[0] : undefined,
    why: [...reasonLines(problems), ...vectorLines(problems, analysis)],
    fixes: [...fixesFor(problems, analysis), keepFix(names, analysis)],
  };
}

function headline(problems: readonly Refused[], { batchNorms }: Refusable): string {
  const total = batchNorms.filter(({ status }) => status.kind !== 'per_example').length;
  const count = `${countText(problems.length)} of ${plural(total, 'batch norm')}`;
  const [who, have] = total === 1 ? ['the batch norm', 'has'] : [count, problems.length === 1 ? 'has' : 'have'];
  if (problems.every(isUntrained)) {
    const initial = new Set(problems.map((problem) => problem.problem.variance));
    const values = initial.size === 1 ? ` (mean 0, variance ${[...initial][0]})` : '';
    return `${who} ${have} moving statistics that were never trained${values}`;
  }
  const isCopied = problems.every((each) => each.code === 'unpaired' && each.reason.code === 'copied_averages');
  if (isCopied) return `several variables may hold the moving statistics of ${who}`;
  return `${who} in training mode ${have} no usable moving statistics`;
}

type Untrained = Extract<Refused, { readonly code: 'unhealthy' }> & {
  readonly problem: { readonly kind: 'untrained'; readonly variance: 0 | 1 };
};

function isUntrained(problem: Refused): problem is Untrained {
  return problem.code === 'unhealthy' && problem.problem.kind === 'untrained';
}

/** Each reason once, with the batch norms that it is about. */
function reasonLines(problems: readonly Refused[]): string[] {
  const short = shortNames(problems.map(({ batchNorm }) => batchNorm));
  const groups = new Map<string, string[]>();
  for (const [i, problem] of problems.entries()) {
    const reason = reasonText(problem);
    groups.set(reason, [...(groups.get(reason) ?? []), short[i]!]);
  }
  // Reasons that name variables are about one batch norm each: name first, as in a table.
  const lines = [...groups].map(([reason, names]) =>
    names.length === 1 ? `${names[0]}: ${reason}` : `${reason}: ${listed(names, SHOWN)}`,
  );
  if (lines.length <= SHOWN) return lines;
  return [...lines.slice(0, SHOWN), `and ${lines.length - SHOWN} more`];
}

function reasonText(problem: Refused): string {
  if (problem.code === 'unpaired') return unpairedText(problem.reason);
  return isUntrained(problem) ? 'training did not run their update ops' : healthText(problem.problem);
}

/** The vectors that may hold the statistics of the first batch norm for which none were found. */
function vectorLines(problems: readonly Refused[], analysis: Refusable): string[] {
  const batchNorm = firstUnpaired(problems, analysis);
  const { channels, vectors } = batchNorm ? unreadVectors(batchNorm, analysis) : { channels: 0, vectors: [] };
  if (vectors.length === 0) return [];
  const [name] = shortNames([batchNorm!.name]);
  return [`${name} has ${plural(channels, 'channel')}; vectors of that size that nothing reads: ${listed(vectors, 8)}`];
}

function firstUnpaired(problems: readonly Refused[], { batchNorms }: Refusable): AnalysedBatchNorm | undefined {
  const first = problems.find((each) => each.code === 'unpaired' && each.reason.code !== 'copied_averages');
  return first && batchNorms.find(({ name }) => name === first.batchNorm);
}

function unreadVectors(batchNorm: AnalysedBatchNorm, { variables, model, needed }: Refusable) {
  const channels = channelsOf(batchNorm, variables);
  if (channels === undefined) return { channels: 0, vectors: [] };
  const read = new Set(needed);
  const isRead = (variable: (typeof needed)[number]) => read.has(variable);
  return { channels, vectors: vectorsOfSize(channels, batchNorm.name, variables, model.checkpoint, isRead) };
}

function fixesFor(problems: readonly Refused[], analysis: Refusable): Fix[] {
  const kinds = new Set(problems.map((problem) => (problem.code === 'unpaired' ? 'unpaired' : problem.problem.kind)));
  const fixes: Fix[] = [];
  if (kinds.has('untrained')) {
    fixes.push(checkpoint('names one that was trained with the update ops'), {
      option: 'allowUntrained',
      text: 'uses the initial values as they are (the outputs will differ)',
    });
  }
  for (const { batchNorm, pair } of copiedPairs(problems).slice(0, 2 * SHOWN)) {
    fixes.push({ option: 'map', value: `${batchNorm}=${pair.join(',')}`, text: `uses ${pair[0]} at inference` });
  }
  const unpaired = firstUnpaired(problems, analysis);
  if (unpaired) {
    const pair = pairIn(unreadVectors(unpaired, analysis).vectors, unpaired.name) ?? ['MEAN', 'VARIANCE'];
    const text = 'names the variables that hold its statistics';
    fixes.push({ option: 'map', value: `${unpaired.name}=${pair.join(',')}`, text });
  }
  if (kinds.has('missing')) fixes.push(checkpoint('names the checkpoint that was saved with this graph'));
  if (kinds.has('not_finite') || kinds.has('negative_variance') || kinds.has('wrong_shape')) {
    fixes.push(checkpoint('names a checkpoint from before training diverged'));
  }
  if (problems.some(isComputable)) fixes.push(calibrateFix(analysis));
  return fixes;
}

/** Whether data can replace the statistics: those of several variables have to be chosen. */
function isComputable(problem: Refused): boolean {
  return problem.code === 'unhealthy' || problem.reason.code === 'no_average';
}

function checkpoint(text: string): Fix {
  return { option: 'checkpoint', value: 'PREFIX', text };
}

function copiedPairs(problems: readonly Refused[]) {
  return problems.flatMap(({ batchNorm, ...problem }) =>
    problem.code === 'unpaired' && problem.reason.code === 'copied_averages'
      ? problem.reason.pairs.map((pair) => ({ batchNorm, pair }))
      : [],
  );
}

/** Leaves batch norms in training mode: by name, or by their scope if that has nothing else that would be left. */
function keepFix(names: readonly string[], analysis: Refusable): Fix {
  const [their, keep] = names.length === 1 ? ['it', 'keeps'] : ['them', 'keep'];
  const text = `leaves ${their} in training mode: ${their === 'it' ? 'it' : 'they'} ${keep} using batch statistics`;
  const scope = commonScope(names);
  const glob = scope === '' ? '*' : `${scope}/*`;
  const isShort = names.length <= 3;
  return { option: 'keep', value: isShort || matchesOthers(glob, names, analysis) ? names.join(',') : glob, text };
}

function commonScope(names: readonly string[]): string {
  const parts = names[0]!.split('/').slice(0, -1);
  let length = parts.length;
  for (const name of names) {
    const other = name.split('/');
    while (parts.slice(0, length).some((part, i) => part !== other[i])) length--;
  }
  return parts.slice(0, length).join('/');
}

function matchesOthers(glob: string, names: readonly string[], { batchNorms, dropouts, flags }: Refusable): boolean {
  const isMeant = nameMatcher([glob]);
  const own = new Set(names);
  const others = [
    ...batchNorms.filter(({ name, status }) => !own.has(name) && status.kind !== 'inference').map(({ name }) => name),
    ...dropouts.map(({ output }) => output),
    ...flags.map(({ node }) => node),
  ];
  return others.some(isMeant);
}

/** A pair that the user named and that cannot be right: swapped, or of different sizes. */
function wrongPair(problems: readonly Refused[], analysis: Refusable): ProblemText | undefined {
  for (const problem of problems) {
    if (problem.code !== 'unhealthy') continue;
    const batchNorm = analysis.batchNorms.find(({ name }) => name === problem.batchNorm);
    const { status } = batchNorm ?? {};
    if (!batchNorm || status?.kind !== 'paired' || status.statistics.evidence.kind !== 'map') continue;
    const { mean, variance } = status.statistics;
    const [name] = shortNames([problem.batchNorm]);
    const about = { where: problem.batchNorm, option: 'map' } as const;
    if (problem.problem.kind === 'negative_variance') {
      return {
        ...about,
        headline: `${variance.node} has negative values and cannot be the variance of ${name}: swapped?`,
        why: `the pair of a batch norm is mean, then variance; ${healthText(problem.problem)}`,
        fixes: [mapFix(batchNorm, [variance.node, mean.node], 'the other way round')],
      };
    }
    if (problem.problem.kind === 'wrong_shape') {
      const { channels, vectors } = unreadVectors(batchNorm, { ...analysis, needed: [] });
      const pair = pairIn(vectors, batchNorm.name);
      return {
        ...about,
        headline: `${mean.node} and ${variance.node} cannot be the statistics of ${name}: they differ in size`,
        why: [
          healthText(problem.problem),
          ...(vectors.length > 0
            ? [`${name} has ${plural(channels, 'channel')}; vectors of that size: ${listed(vectors, 8)}`]
            : []),
        ],
        fixes: pair ? [mapFix(batchNorm, pair, 'has the right size')] : [],
      };
    }
  }
  return undefined;
}

function mapFix({ name }: AnalysedBatchNorm, pair: readonly [string, string], text: string): Fix {
  return { option: 'map', value: `${name}=${pair.join(',')}`, text };
}
