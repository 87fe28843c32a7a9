import type { HealthProblem } from '../analysis/state/health.js';
import { shortNames } from '../freezing/short_names.js';
import { healthText, unpairedText } from '../freezing/statistics_text.js';
import { countText, listed, plural } from '../freezing/text.js';
import { evidenceText, flagText } from '../freezing/wording.js';
import type { Amount, BatchNormInspection, FlagInspection, Inspection } from './inspection.js';
import { errorText, settingsText } from './wording.js';

// All sentences about inspections: an Inspection is data, and this module turns it into text.

/** The verdict in one sentence. */
export function inspectionVerdictText({
  verdict,
  batchNorms,
  dropouts,
}: Pick<Inspection, 'verdict' | 'batchNorms' | 'dropouts'>): string {
  const { kind, errors, once, total } = verdict;
  switch (kind) {
    case 'affected': {
      const texts = errors.map((error) => errorText(error, total, error.count <= dropouts.length));
      return `AFFECTED: ${texts.join('; ')}`;
    }
    case 'needs_flags': {
      const settings = `ok once ${listed(
        once.map((each) => settingsText([each])),
        3,
      )}`;
      return total === 0 ? settings : `${settings}: ${allOf(total)} stored statistics then`;
    }
    case 'ok':
      return `${batchNorms.some(({ health }) => health) ? '' : 'ok: '}${allOf(total)} stored statistics`;
    case 'no_batch_norms':
      return 'no batch norm feeds the outputs';
  }
}

function allOf(total: number): string {
  if (total === 1) return 'the batch norm uses';
  return `${total === 2 ? 'both' : `all ${countText(total)}`} batch norms use`;
}

/** The state of a batch norm in a few words; empty if it is normal. */
export function noteText({ health, unpaired, deadChannels, feeds }: BatchNormInspection): string {
  const notes = [
    ...(feeds.length === 0 ? ['feeds no output'] : []),
    ...(health ? [HEALTH[health.kind]] : []),
    ...(unpaired ? ['no statistics found'] : []),
    ...(deadChannels && deadChannels.length > 0 ? [`${deadChannels.length} dead`] : []),
  ];
  return notes.join(', ');
}

const HEALTH: Readonly<Record<HealthProblem['kind'], string>> = {
  missing: 'no values',
  untrained: 'untrained',
  not_finite: 'NaN or infinity',
  negative_variance: 'negative variance',
  wrong_shape: 'wrong shape',
};

/** What is wrong with the statistics of the batch norms that feed an output: a sentence for each kind of problem. */
export function statisticsProblems(batchNorms: readonly BatchNormInspection[], all: boolean): string[] {
  const groups = new Map<string, BatchNormInspection[]>();
  for (const each of batchNorms) {
    const kind = each.feeds.length === 0 ? undefined : (each.health?.kind ?? each.unpaired?.code);
    if (kind === undefined) continue;
    const group = groups.get(kind);
    if (group) group.push(each);
    else groups.set(kind, [each]);
  }
  const shorts = shortNames(batchNorms.map(({ name }) => name));
  const names = new Map(batchNorms.map((each, i) => [each, shorts[i]!]));
  return [...groups.values()].flatMap((group) => {
    if (all || group.length === 1) return group.map((each) => `${each.name}: ${problemText(each)}`);
    const [first] = group;
    const what = first!.health ? HEALTH[first!.health.kind] : 'no statistics found';
    const shown = group.map((each) => names.get(each)!);
    return [`${plural(group.length, 'batch norm')} with ${WITH[what] ?? what}: ${listed(shown, 3)}`];
  });
}

function problemText({ health, unpaired }: BatchNormInspection): string {
  return health ? healthText(health) : unpairedText(unpaired!);
}

/** The notes that do not follow `with`. */
const WITH: Readonly<Record<string, string>> = {
  untrained: 'statistics that were never updated',
  'no values': 'statistics that have no values',
  'wrong shape': 'statistics of different shapes',
  'no statistics found': 'no moving statistics',
};

/** How {@link foundByText} describes statistics that a batch norm reads already. */
export const IN_USE = 'already in use';

/** How the statistics of a batch norm were found, in a few words. */
export function foundByText({ mode, statistics, unpaired }: BatchNormInspection): string {
  if (mode === 'per_example') return 'each example by itself';
  if (unpaired) return '';
  const { evidence } = statistics ?? {};
  if (!evidence) return statistics ? IN_USE : '';
  return evidence.kind === 'reference' ? 'reference graph' : evidence.kind;
}

/** How the statistics of a batch norm were found, in a sentence. */
export function statisticsText({ statistics }: BatchNormInspection): string | undefined {
  if (!statistics) return undefined;
  const { mean, variance, evidence } = statistics;
  if (!evidence) return `reads ${[mean, variance].filter((name) => name !== undefined).join(' and ')}`;
  return evidenceText(evidence, mean ?? '', variance);
}

/** A flag, its value, why, and the value in the file. */
export function inspectedFlagText(flag: FlagInspection): string {
  const { saved, value, reason } = flag;
  const isFed = saved === undefined && reason.code === 'training_ops';
  const inFile = isFed ? '; it has to be fed' : saved === undefined ? '' : `; it is ${saved} in the file`;
  return `${flagText(flag)}${saved === value ? '; so it is in the file' : inFile}`;
}

/** `1,234,567 parameters in 12 variables`, or the like. */
export function amountText({ tensors, elements, unknown }: Amount, one: string, tensor: string): string {
  const more = unknown > 0 ? `, ${countText(unknown)} of them of unknown shape` : '';
  return `${plural(elements, one)} in ${plural(tensors, tensor)}${more}`;
}
