import type { BatchNormReport, FreezeReport } from './report.js';
import { countText, listed, plural } from './text.js';

/**
 * What became of the batch norms, in sentences.
 * @param unbroken - keeps a text in one line, where lines are wrapped
 */
export function verdictText(report: FreezeReport, unbroken: (text: string) => string = (text) => text): string {
  const [repaired, inference, perExample] = (['repaired', 'inference', 'per_example'] as const).map((wanted) =>
    report.batchNorms.filter(({ status }) => status === wanted),
  ) as [BatchNormReport[], BatchNormReport[], BatchNormReport[]];
  const total = report.batchNorms.length - perExample.length;
  const sentences: string[] = [];
  if (repaired.length > 0) {
    const count = total === 1 ? 'the batch norm' : `${countText(repaired.length)} of ${plural(total, 'batch norm')}`;
    const [they, use] = repaired.length === 1 ? ['It', 'uses'] : ['They', 'use'];
    sentences.push(
      `Repaired ${count}. ${they} normalised with batch statistics and now ${use} the stored moving averages.`,
    );
    if (inference.length > 0) {
      const the = inference.length + repaired.length === total ? 'The other ' : '';
      sentences.push(
        `${the}${countText(inference.length)} already used ${theirs(inference)}${withFlags(report, unbroken)}.`,
      );
    }
  } else if (inference.length > 0) {
    const which = inference.length === 1 ? 'the batch norm uses' : `${allOf(inference.length)} batch norms use`;
    const some = inference.length === total ? which : `${countText(inference.length)} of ${total} batch norms use`;
    const frozen = isUnchanged(report) ? 'the graph is already frozen, and ' : '';
    sentences.push(`Nothing to repair: ${frozen}${some} ${theirs(inference)}${withFlags(report, unbroken)}.`);
  } else if (total === 0) {
    const frozen = isUnchanged(report) ? 'the graph is already frozen, and ' : '';
    sentences.push(`Nothing to repair: ${frozen}no batch norm feeds the outputs.`);
  } else {
    sentences.push('Nothing was repaired.');
  }
  for (const reason of ['layer_normalization', 'batch_of_one'] as const) {
    const group = perExample.filter((batchNorm) => batchNorm.reason === reason);
    if (group.length > 0) sentences.push(perExampleText(reason, group.length));
  }
  return sentences.join(' ');
}

/** States that some batch norms stay in training mode; undefined if none does. @param flagOf - writes an option as the user does */
export function keptText({ batchNorms }: FreezeReport, flagOf: (option: string) => string): string | undefined {
  const { length } = batchNorms.filter(({ status }) => status === 'kept');
  if (length === 0) return undefined;
  const [stay, they] = length === 1 ? ['stays', 'it keeps'] : ['stay', 'they keep'];
  return `${plural(length, 'batch norm')} ${stay} in training mode (${flagOf('keep')}): ${they} using batch statistics.`;
}

function allOf(count: number): string {
  return count === 2 ? 'both' : `all ${countText(count)}`;
}

function perExampleText(reason: 'layer_normalization' | 'batch_of_one', count: number): string {
  const [stay, their] = count === 1 ? ['stays', 'its'] : ['stay', 'their'];
  return reason === 'layer_normalization'
    ? `${plural(count, 'layer normalisation')} ${stay} as before.`
    : `${plural(count, 'instance normalisation')} ${stay} as before: ${their} batch dimension is statically 1.`;
}

function theirs(group: readonly BatchNormReport[]): string {
  return group.length === 1 ? 'its moving averages' : 'their moving averages';
}

/** The flags that select moving averages. */
function withFlags({ flags }: FreezeReport, unbroken: (text: string) => string): string {
  const pinned = flags.map(({ name, value }) => unbroken(`${name} = ${value}`));
  return pinned.length === 0 ? '' : ` with ${listed(pinned, 2)}`;
}

/** Changes of every result. */
const ALWAYS: ReadonlySet<FreezeReport['outcomes'][number]['kind']> = new Set([
  'stripped',
  'pruned_function',
  'simplified',
  'renamed',
]);

/** Whether the graph was an inference graph already. */
function isUnchanged({ batchNorms, outcomes }: FreezeReport): boolean {
  return outcomes.every(({ kind }) => ALWAYS.has(kind)) && batchNorms.every(({ status }) => status === 'inference');
}
